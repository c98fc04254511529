"""The rows of a recorded log in the order, number and laps that a replay asks for; no Kafka."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import click

from stream_rec.errors import InputError
from stream_rec.logs import EventLog, LogOptions, LogRow, open_log
from stream_rec.logs.files import STANDARD_INPUT

BAD_ROWS_SHOWN_MAX = 10
LAP_GAP_MS = 1000
"""Between the last event of a lap and the first of the next."""


@dataclass(frozen=True)
class ReplayPlan:
    """What to replay.

    Parameters
    ----------
    path : str
        The log, or ``-`` for standard input.
    options : LogOptions
        How to read it.
    from_offset : int
        Events of the log to pass over at the start.
    limit : int, optional
        Stop after so many events.
    loop : bool
        Start again at the end, with times and event ids moved on, so that a lap is news and not a
        repetition that the worker would drop.
    bad_rows : BadRows, optional
        Passes over rows that cannot be read; without it they are an error.
    """

    path: str
    options: LogOptions
    from_offset: int = 0
    limit: int | None = None
    loop: bool = False
    bad_rows: BadRows | None = None


class BadRows:
    """Pass over the rows of a log that cannot be read; show some, count all."""

    def __init__(self) -> None:
        self.n_passed_over = 0

    def __call__(self, error: InputError) -> None:
        """Take the error of one row."""
        self.n_passed_over += 1
        if self.n_passed_over <= BAD_ROWS_SHOWN_MAX:
            click.echo(f"passed over: {error}", err=True)
        elif self.n_passed_over == BAD_ROWS_SHOWN_MAX + 1:
            click.echo("more bad rows are passed over and counted", err=True)


class RecordedEvent(NamedTuple):
    """One event to replay.

    Parameters
    ----------
    position : int
        Its number among the usable rows of the log, from 0: what ``from_offset`` counts.
    row : LogRow
        The event.
    fraction : float or None
        Part of the replay that is done with it, 0 to 1, where that is known.
    """

    position: int
    row: LogRow
    fraction: float | None


def require_readable(plan: ReplayPlan) -> None:
    """Look at the beginning of a log, so that what is wrong with it is said before Kafka is asked.

    Raises
    ------
    InputError
        When the log cannot be opened or its layout is not understood.
    """
    path = Path(plan.path)
    if plan.path == STANDARD_INPUT or path.is_fifo() or path.is_char_device():
        return  # what is read of a stream is gone
    with open_log(plan.path, plan.options):
        pass


def recorded_events(plan: ReplayPlan) -> Generator[RecordedEvent]:
    """Iterate over the events of a plan.

    Raises
    ------
    InputError
        When the log cannot be read, is empty, or ends before ``from_offset``.
    """
    events = _laps(plan) if plan.loop else _lap(plan, plan.from_offset)
    if plan.limit is None:
        yield from events
        return
    for n_before, event in enumerate(islice(events, plan.limit)):
        yield event._replace(fraction=(n_before + 1) / plan.limit)


def _laps(plan: ReplayPlan) -> Iterator[RecordedEvent]:
    ts_ms_first, ts_ms_last = None, 0
    for event in _lap(plan, plan.from_offset):
        if event.row.ts_ms is not None:
            ts_ms_first = event.row.ts_ms if ts_ms_first is None else ts_ms_first
            ts_ms_last = max(ts_ms_last, event.row.ts_ms)
        yield event._replace(fraction=None)
    lap_ms = 0 if ts_ms_first is None else max(ts_ms_last - ts_ms_first, 0) + LAP_GAP_MS
    n_laps = 0
    while True:
        n_laps += 1
        for event in _lap(plan, 0):
            yield event._replace(row=_moved_on(event.row, n_laps, lap_ms), fraction=None)


def _lap(plan: ReplayPlan, from_offset: int) -> Iterator[RecordedEvent]:
    with open_log(plan.path, plan.options) as log:
        rows = log.rows(on_bad_row=plan.bad_rows)
        position = -1
        for position, row in enumerate(rows):
            if position >= from_offset:
                yield RecordedEvent(position, row, log.fraction_read())
        _require_events(log, position + 1, from_offset)


def _require_events(log: EventLog, n_rows: int, from_offset: int) -> None:
    if n_rows < max(from_offset, 1):
        raise InputError(
            f"expected at least {max(from_offset, 1)} events in {log.path}, got {n_rows} "
            f"({log.n_bad_rows} bad rows passed over); give another log or a smaller --from-offset"
        )


def _moved_on(row: LogRow, n_laps: int, lap_ms: int) -> LogRow:
    """Return the row as it would be recorded laps later, but never in the future."""
    ts_ms = row.ts_ms
    if ts_ms is not None:
        ts_ms = min(ts_ms + n_laps * lap_ms, max(ts_ms, time.time_ns() // 1_000_000))
    event_id = None if row.event_id is None else f"{row.event_id}#{n_laps + 1}"
    return row._replace(ts_ms=ts_ms, event_id=event_id)
