"""Run models over a log and take the time: the core has no clock, so it is read here."""

from __future__ import annotations

import time
from collections.abc import Iterator

from stream_rec.cli.evaluation.progress import show_steps
from stream_rec.config import Settings
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import Prequential
from stream_rec.model.engine import Engine

WARM_UP_EVENTS = 40
"""Enough to call, and so to compile, everything once: that is not time per event."""


def run_timed(title: str, steps: Iterator[int], n_events: int) -> float:
    """Run a model over all events of a log.

    Parameters
    ----------
    title : str
    steps : iterator of int
        Number of events done, after each batch.
    n_events : int

    Returns
    -------
    float
        Microseconds per event.
    """
    took_s = 0.0
    with show_steps(title) as shown:
        started_s = time.perf_counter()
        for done in steps:
            took_s += time.perf_counter() - started_s
            shown.update(done, done / n_events)
            started_s = time.perf_counter()
    return took_s * 1e6 / n_events


def new_engine(settings: Settings, n_partitions: int) -> Engine:
    """Make an engine as a worker would, without Kafka."""
    return Engine(
        settings.model,
        settings.events,
        source_topic=settings.topics.events,
        n_partitions=n_partitions,
    )


def warm_up(settings: Settings, log: LogColumns, n_partitions: int) -> None:
    """Compile the kernels, on an engine that is thrown away."""
    short = log.first(WARM_UP_EVENTS)
    engine = new_engine(settings, n_partitions)
    with show_steps("compiling (only after a change)"):
        for _ in Prequential(engine, short, n_partitions=n_partitions, list_every=1).run():
            pass
