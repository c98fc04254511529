"""When each event is due: at the log's own pace, a multiple of it, a fixed rate, or at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from stream_rec.errors import InputError

SLEEP_S_MIN = 0.001
"""Shorter waits are not slept: the clock of the system is coarser than that."""


RATE = click.FloatRange(min=0, min_open=True)
"""Type of an option that is a number of events a second."""


@dataclass
class Pacer:
    """Tell when events are due, in seconds after the first.

    Parameters
    ----------
    speed : float, optional
        Seconds of the log for each second of the clock; None does not look at the log's times.
    rate_per_s : float, optional
        At most so many events a second.
    """

    speed: float | None = None
    rate_per_s: float | None = None
    _ts_ms_first: int | None = None

    def due_s(self, n_before: int, ts_ms: int | None) -> float:
        """Return when an event is due.

        Parameters
        ----------
        n_before : int
            Events before this one.
        ts_ms : int or None
            Its time in the log; a later event without one is due at once.

        Raises
        ------
        InputError
            When the first event has no time and the log's pace is asked for.

        Examples
        --------
        >>> pacer = Pacer(speed=10.0)
        >>> pacer.due_s(0, 5_000), pacer.due_s(1, 65_000)
        (0.0, 6.0)
        """
        due_s = n_before / self.rate_per_s if self.rate_per_s else 0.0
        if self.speed is None:
            return due_s
        if self._ts_ms_first is None:
            self._ts_ms_first = _require_time(ts_ms)
        if ts_ms is None:
            return due_s
        return max(due_s, (ts_ms - self._ts_ms_first) / 1000 / self.speed)


def _require_time(ts_ms: int | None) -> int:
    if ts_ms is None:
        raise InputError(
            "expected times to replay at the log's own pace, the first event has none; "
            "use --rate or --speed max, or name the column with --ts-column"
        )
    return ts_ms


class SpeedType(click.ParamType):
    """``original``, ``max`` or a multiple such as ``10x``."""

    name = "original|NUMBERx|max"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """Return the multiple, or None for as fast as possible."""
        if value is None or isinstance(value, float):
            return value
        if value == "max":
            return None
        if value == "original":
            return 1.0
        try:
            speed = float(str(value).removesuffix("x"))
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            self.fail(f"expected original, max or a multiple such as 10x, got {value!r}")
        return speed
