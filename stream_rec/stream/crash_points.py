"""Crash points: a worker that ends itself, as by SIGKILL, before or after its n-th effect.

    STREAM_REC_TEST_CRASH_AT=after_acks:17    kill the process when the 17th wait for
                                              acknowledgements has ended

Moments are ``before`` and ``after``; effects are ``publish``, ``produce``, ``acks``, ``write`` and
``commit`` (see effects.py). They count from the start of the process, so recovery, commits and
giving up all have their points. Nothing is wrapped where the variable is not set.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from stream_rec.errors import ConfigError
from stream_rec.stream.effects import Effects

VARIABLE = "STREAM_REC_TEST_CRASH_AT"
MOMENTS = ("before", "after")
METHODS = {
    "publish": "publish",
    "produce": "produce",
    "acks": "wait_for_acks",
    "write": "write_batch",
    "commit": "commit",
}


class CrashPoint(NamedTuple):
    """Before or after the n-th call (from 1) of a method of the port."""

    moment: str
    effect: str
    number: int

    @classmethod
    def parse(cls, text: str) -> CrashPoint:
        """Read a point such as ``after_acks:17``.

        Raises
        ------
        ConfigError
            There is no such point.
        """
        moment, _, rest = text.partition("_")
        effect, _, number = rest.partition(":")
        if (
            moment not in MOMENTS
            or effect not in METHODS
            or not number.isdigit()
            or int(number) < 1
        ):
            raise ConfigError(
                f"{VARIABLE} expects before_ or after_, one of {', '.join(METHODS)}, and :N from 1 "
                f"on, as in after_acks:17; came {text!r}"
            )
        return cls(moment, effect, int(number))


def arm_crash_point(
    effects: Effects,
    environment: Mapping[str, str] = os.environ,
    crash: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL),
) -> None:
    """Make a worker's effects crash where the environment says, if it says so.

    Parameters
    ----------
    effects : Effects
        Its method is replaced.
    environment : Mapping[str, str]
        Searched for `VARIABLE`.
    crash : Callable[[], None]
        Ends the process.
    """
    text = environment.get(VARIABLE)
    if text is None:
        return
    point = CrashPoint.parse(text)
    method: Callable[..., Awaitable[Any]] = getattr(effects, METHODS[point.effect])
    n_calls = 0

    async def call(*arguments: Any, **options: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        is_due = n_calls == point.number
        if is_due and point.moment == "before":
            crash()
        result = await method(*arguments, **options)
        if is_due and point.moment == "after":
            crash()
        return result

    setattr(effects, METHODS[point.effect], call)
