"""The state of the demo at one moment: everything that a view shows, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream_rec.cli.demo.statistics import Moment


class Phase(StrEnum):
    """Where the demo is; the value is what a person reads."""

    BROKER = "starting the embedded Kafka broker"
    WORKER = "starting the worker (the very first start compiles the model: a minute)"
    REPLAY = "replaying the film ratings"
    LAST_LISTS = "waiting for the last lists"
    SERVING = "the live page is open until Ctrl-C"
    STOPPING = "committing and stopping the worker"
    DONE = "done"


@dataclass(frozen=True)
class Snapshot:
    """What a view shows.

    Parameters
    ----------
    phase : Phase
        What is going on.
    elapsed_s : float
        Seconds since the start.
    n_expected : int
        Events that will be replayed.
    n_events, n_lists : int
        Events and lists read from Kafka so far.
    lists_per_s : float
        Rate over the last seconds.
    latency_p50_ms, latency_p99_ms : float, optional
        From the event's producer to the list here, over the whole run.
    n_scored : int
        Events that the hit rates are the mean of.
    hit_rate, popularity_hit_rate : float
        Running HR@10 of the served lists and of plain popularity.
    rate_history : tuple of float
        Earlier rates, the oldest first.
    n_partitions : int
        Of the events topic.
    worker_pid : int, optional
        Process id of the worker.
    web_url : str, optional
        Address of the live page, once it is there.
    moments : tuple of Moment
        Users to show.
    """

    phase: Phase
    elapsed_s: float = 0.0
    n_expected: int = 0
    n_events: int = 0
    n_lists: int = 0
    lists_per_s: float = 0.0
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    n_scored: int = 0
    hit_rate: float = 0.0
    popularity_hit_rate: float = 0.0
    rate_history: tuple[float, ...] = ()
    n_partitions: int = 0
    worker_pid: int | None = None
    web_url: str | None = None
    moments: tuple[Moment, ...] = ()
