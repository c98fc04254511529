"""Run models over a log and take the time: the core has no clock, so it is read here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from stream_rec.cli.evaluation.progress import show_steps
from stream_rec.config import Settings
from stream_rec.evaluation.baselines import Baseline
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.delayed import DelayedPrequential, ScoringEngine
from stream_rec.evaluation.many_workers import ManyWorkers
from stream_rec.evaluation.peers import PEERS
from stream_rec.evaluation.prequential import Prequential
from stream_rec.evaluation.result import Score, score_ranks, with_rating_error
from stream_rec.evaluation.session import SessionPrequential, score_sessions

PROTOCOLS = PREQUENTIAL, SESSION = "prequential", "session"
WARM_UP_EVENTS = 40
"""Enough to call, and so to compile, everything once: that is not time per event."""


class Plan(NamedTuple):
    """How the engine is to be run over a log.

    Attributes
    ----------
    protocol : str
        One of PROTOCOLS.
    n_partitions : int
    delay_s : float
        How much later than it happens an event is learned.
    list_every : int
        One batch in so many has its lists measured.
    n_workers : int
        That share the partitions and see each other's rows once a commit interval.
    """

    protocol: str
    n_partitions: int
    delay_s: float
    list_every: int
    n_workers: int = 1

    @property
    def title(self) -> str:
        """The protocol, with what is unusual about the run."""
        if self.n_workers > 1:
            return f"{self.protocol}, {self.n_workers} workers"
        return f"{self.protocol}, {self.delay_s:g} s late" if self.delay_s else self.protocol


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


def score_baseline(
    baseline: Baseline, log: LogColumns, ks: tuple[int, ...], protocol: str
) -> Score:
    """Run a peer over a log, compiled beforehand, and score it."""
    make = PEERS[baseline.peer].make
    with show_steps(f"compiling {baseline.name}"):
        for _ in make(log.first(WARM_UP_EVENTS), baseline.parameters).run():
            pass
    peer = make(log, baseline.parameters)
    if protocol == SESSION:
        log = score_sessions(log)
        peer.score_next_items(log.is_scored)
    us_per_event = run_timed(baseline.name, peer.run(), len(log.user))
    score = score_ranks(
        baseline.name,
        peer.rank,
        log,
        ks,
        us_per_event,
        baseline.tuned,
        baseline.parameters,
    )
    return score if peer.predicted is None else with_rating_error(score, peer.predicted, log)


def new_run(settings: Settings, log: LogColumns, plan: Plan) -> Prequential:
    """Make an engine as a worker would, without Kafka, and its way through a log."""
    model = settings.model
    if plan.protocol == SESSION:
        model = model.model_copy(update={"exclude_seen": False})
    engine, *others = (
        ScoringEngine(
            model,
            settings.events,
            source_topic=settings.topics.events,
            n_partitions=plan.n_partitions,
        )
        for _ in range(plan.n_workers)
    )
    if others:
        return ManyWorkers(
            [engine, *others],
            log,
            n_partitions=plan.n_partitions,
            list_every=plan.list_every,
            commit_interval_s=settings.worker.commit_interval_s,
            commit_events_max=settings.worker.commit_events_max,
        )
    if plan.protocol == SESSION:
        return SessionPrequential(
            engine,
            score_sessions(log),
            n_partitions=plan.n_partitions,
            list_every=plan.list_every,
        )
    if plan.delay_s > 0:
        return DelayedPrequential(
            engine,
            log,
            delay_s=plan.delay_s,
            n_partitions=plan.n_partitions,
            list_every=plan.list_every,
        )
    return Prequential(engine, log, n_partitions=plan.n_partitions, list_every=plan.list_every)


def warm_up(settings: Settings, log: LogColumns, plan: Plan) -> None:
    """Compile the kernels, on an engine that is thrown away."""
    short = log.first(WARM_UP_EVENTS)
    with show_steps("compiling (only after a change)"):
        for _ in new_run(settings, short, plan._replace(list_every=1)).run():
            pass
