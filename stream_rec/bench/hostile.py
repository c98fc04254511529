"""What hostile loads cost the engine per event, and what they take in memory, as they grow.

    one user        all events are of one user, over many items
    one item        all events are of one item, of many users
    new items       every event brings an item that is never seen again
    one partition   keys chosen so that all events fall into one partition of many

The rows of a table are points of a curve: a bound shows as a line that does not rise.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import psutil

from stream_rec.bench.engine_cost import BenchRecord, new_engine
from stream_rec.bench.result import Report, Result
from stream_rec.errors import StreamRecError
from stream_rec.model.item_limit import TOO_MANY_ITEMS
from stream_rec.model.runs import Run
from stream_rec.settings import Settings

FIRST_TIME_S = 1_700_000_000
MS_PER_S = 1_000
BYTES_PER_MIB = 1 << 20
BATCH_RECORDS = 64
FREEZE_EVERY = 20_000
N_POINTS = 5

LOADS: dict[str, Callable[[int], tuple[int, int]]] = {
    "one user": lambda n: (0, n * 7_919 % 50_000),
    "one item": lambda n: (n, 0),
    "new items": lambda n: (n % 10_000, n),
    "one partition": lambda n: (n % 10_000, n * 31 % 5_000),
}
"""(user, item) of the n-th event."""


class Point(NamedTuple):
    """After `n_events`: µs of processor time per event since the point before, resident MiB."""

    load: str
    n_events: int
    us_per_event: float
    resident_mib: float


def measure_hostile(settings: Settings, n_events: int, report: Report) -> list[Point]:
    """Run every load through an engine of its own.

    Parameters
    ----------
    settings : Settings
    n_events : int
        Of each load.
    report : Report
        Told what is being done.

    Raises
    ------
    StreamRecError
        An event was refused, other than for too many items.
    """
    from stream_rec.model.warm_up import warm_up

    report("compiling (only after a change)")
    warm_up(settings.model, settings.events)
    points = []
    for name in LOADS:
        report(name)
        points += list(_run(settings, name, n_events))
    return points


def _run(settings: Settings, name: str, n_events: int) -> Iterator[Point]:
    n_partitions = 8 if name == "one partition" else 1
    engine = new_engine(settings, n_partitions)
    process = psutil.Process(os.getpid())
    records = _records(name)
    n_done, n_frozen = 0, 0
    for point in range(1, N_POINTS + 1):
        target, started_s = n_events * point // N_POINTS, time.process_time()
        n_before = n_done
        while n_done < target:
            batch = list(islice(records, BATCH_RECORDS))
            result = engine.process([Run(0, batch)], batch[-1].timestamp)[0]
            for refused in result.refused:
                if refused.code != TOO_MANY_ITEMS:
                    raise StreamRecError(f"expected every event to count, came {refused}")
            n_done += len(batch)
            if n_done - n_frozen >= FREEZE_EVERY:
                engine.freeze(0)
                n_frozen = n_done
        spent_us = (time.process_time() - started_s) * 1e6
        resident_mib = process.memory_info().rss / BYTES_PER_MIB
        yield Point(name, n_done, spent_us / (n_done - n_before), resident_mib)


def _records(name: str) -> Iterator[BenchRecord]:
    draw = LOADS[name]
    offset = 0
    while True:
        user, item = draw(offset)
        value = b'{"user":"u%d","item":"i%d","type":"click","ts":%d}'
        time_s = FIRST_TIME_S + offset
        event = value % (user, item, time_s)
        yield BenchRecord(offset, b"u%d" % user, event, time_s * MS_PER_S)
        offset += 1


def result_of(points: list[Point]) -> Result:
    """Return the table and the figures of a run."""
    return Result(
        title="Hostile loads: µs of processor time an event, and resident memory, as they grow",
        columns=("load", "events", "µs an event", "resident MiB"),
        rows=[
            (p.load, f"{p.n_events:,}", f"{p.us_per_event:.0f}", f"{p.resident_mib:.0f}")
            for p in points
        ],
        figures=[
            {
                "load": p.load,
                "events": p.n_events,
                "us_per_event": round(p.us_per_event, 1),
                "resident_mib": round(p.resident_mib),
            }
            for p in points
        ],
    )
