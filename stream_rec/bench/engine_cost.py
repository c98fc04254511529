"""What the engine alone costs per event: decode → fold → rank → encode in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from stream_rec.bench.events import Encoded
from stream_rec.model.engine import Engine
from stream_rec.model.runs import Run
from stream_rec.settings import Settings

AT_MS = 1_700_000_000_000
"""When records came, of which nothing else is said."""


class BenchRecord(NamedTuple):
    """A Kafka record as the engine sees it."""

    offset: int
    key: bytes
    value: bytes
    timestamp: int


def new_engine(settings: Settings, n_partitions: int) -> Engine:
    """Make an engine with all its partitions open, as a worker does that is alone."""
    engine = Engine(
        settings.model,
        settings.events,
        source_topic=settings.topics.events,
        n_partitions=n_partitions,
    )
    for partition in range(n_partitions):
        engine.open_partition(partition)
    return engine


def batches_of(
    events: Sequence[Encoded], n_partitions: int, batch_records: int, at_ms: int = AT_MS
) -> list[tuple[int, list[BenchRecord]]]:
    """Cut events into runs of one partition each, in the order in which they fill up.

    Parameters
    ----------
    events : sequence of Encoded
    n_partitions : int
    batch_records : int
        Length of a run.
    at_ms : int
        When the records came.

    Returns
    -------
    list of (partition, records)
    """
    batches = []
    waiting: list[list[BenchRecord]] = [[] for _ in range(n_partitions)]
    offsets = [0] * n_partitions
    for key, value in events:
        partition = hash(key) % n_partitions
        waiting[partition].append(BenchRecord(offsets[partition], key, value, at_ms))
        offsets[partition] += 1
        if len(waiting[partition]) == batch_records:
            batches.append((partition, waiting[partition]))
            waiting[partition] = []
    return batches + [(p, records) for p, records in enumerate(waiting) if records]


def engine_us_per_event(
    settings: Settings, events: Sequence[Encoded], n_warm_up: int, seconds_max: float
) -> float:
    """Return the processor time of the engine per event, in µs, as a worker alone would use it.

    Parameters
    ----------
    settings : Settings
    events : sequence of Encoded
    n_warm_up : int
        Events that are processed before the clock starts.
    seconds_max : float
        Processor time after which the measurement ends.
    """
    n_partitions = settings.topics.partitions
    engine = new_engine(settings, n_partitions)
    n_done = n_timed = 0
    timed_s = 0.0
    for partition, records in batches_of(events, n_partitions, settings.worker.batch_records_max):
        started_s = time.process_time()
        engine.process([Run(partition, records)], AT_MS)
        n_done += len(records)
        if n_done > n_warm_up:
            timed_s += time.process_time() - started_s
            n_timed += len(records)
        if timed_s > seconds_max:
            break
    return timed_s * 1e6 / max(n_timed, 1)
