"""Run models over a log and take the time: the core has no clock, so it is read here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from stream_rec.cli.evaluation.memory import memory_bytes
from stream_rec.cli.evaluation.progress import show_steps
from stream_rec.compiling import shared_compiling
from stream_rec.config import Settings
from stream_rec.evaluation.ablation import feature_columns
from stream_rec.evaluation.baselines import Baseline
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.delayed import DelayedPrequential
from stream_rec.evaluation.many_workers import ManyWorkers
from stream_rec.evaluation.peers import PEERS, Parameters, Peer
from stream_rec.evaluation.prequential import BATCH_EVENTS_MAX, Prequential
from stream_rec.evaluation.result import Score, score_ranks, with_rating_error
from stream_rec.evaluation.scoring import ScoringEngine
from stream_rec.evaluation.session import SessionPrequential, score_sessions
from stream_rec.evaluation.split import (
    SplitPrequential,
    score_test,
    split_bounds,
    train_and_validation,
)

PROTOCOLS = PREQUENTIAL, SESSION, SPLIT = "prequential", "session", "split"
LIST_EVERY = 8
"""One batch in so many has its lists ranked for the metrics of lists: that costs a ranking."""
LOOKS = 4000
LOOK_EVENTS_MIN = 8
"""An engine that is observed is looked at so often, at most after every few events."""
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
    batch_events_max : int
        Events learned between two looks at the engine.
    is_observed : bool
        Whether events are ranked for the calibration too, which costs time.
    n_workers : int
        That share the partitions and see each other's rows once a commit interval.
    without : tuple of str
        Features to rank without.
    """

    protocol: str
    n_partitions: int
    delay_s: float
    list_every: int
    batch_events_max: int = BATCH_EVENTS_MAX
    is_observed: bool = False
    n_workers: int = 1
    without: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The protocol, with what is unusual about the run."""
        workers = f", {self.n_workers} workers" if self.n_workers > 1 else ""
        late = f", {self.delay_s:g} s late" if self.delay_s else ""
        without = f", without {', '.join(self.without)}" if self.without else ""
        return f"{self.protocol}{workers}{late}{without}"

    @property
    def knows_all_before(self) -> bool:
        """Whether a scored event is ranked by a model that has learned all before it."""
        return self.protocol != SPLIT and not self.delay_s and self.n_workers == 1


def new_plan(
    protocol: str,
    n_partitions: int,
    n_workers: int,
    delay_s: float,
    all_lists: bool,
    is_observed: bool,
    n_events: int,
    without: tuple[str, ...] = (),
) -> Plan:
    """Return the plan for a log of this size; whoever is observed is looked at more often."""
    looks = min(max(n_events // LOOKS, LOOK_EVENTS_MIN), BATCH_EVENTS_MAX)
    return Plan(
        protocol,
        n_partitions,
        delay_s,
        list_every=1 if all_lists else LIST_EVERY,
        batch_events_max=looks if is_observed else BATCH_EVENTS_MAX,
        is_observed=is_observed,
        n_workers=n_workers,
        without=without,
    )


def run_timed(
    title: str,
    steps: Iterator[int],
    n_events: int,
    after_step: Callable[[int], None] = lambda n_done: None,
) -> float:
    """Run a model over all events of a log.

    Parameters
    ----------
    title : str
    steps : iterator of int
        Number of events done, after each batch.
    n_events : int
    after_step : callable
        Called with the number of events done after each batch; its time does not count.

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
            after_step(done)
            shown.update(done, done / n_events)
            started_s = time.perf_counter()
    return took_s * 1e6 / n_events


def new_peer(
    peer: str, parameters: Parameters, log: LogColumns, protocol: str, *, is_test: bool = True
) -> tuple[Peer, LogColumns]:
    """Make a peer for a protocol, and return with it the log with the events scored that count.

    Parameters
    ----------
    peer : str
        In `PEERS`.
    parameters : mapping of str to float
    log : LogColumns
    protocol : str
    is_test : bool
        Of the protocol `split`: whether the test is scored, or else the validation.
    """
    make = PEERS[peer].make
    if protocol == SPLIT:
        n_train, n_learned = split_bounds(len(log.user))
        scored = score_test(log) if is_test else train_and_validation(log)
        # Made of the log as it is: peers also learn from which events are the first of their pair.
        run = make(log.first(len(scored.user)), parameters)
        run.learn_only_first(n_learned if is_test else n_train, scored.is_scored)
        return run, scored
    run = make(log, parameters)
    if protocol == SESSION:
        log = score_sessions(log)
        run.score_next_items(log.is_scored)
    return run, log


def score_baseline(baseline: Baseline, log: LogColumns, ks: tuple[int, ...], plan: Plan) -> Score:
    """Run a peer over a log, compiled beforehand, and score it as the engine is scored."""
    with show_steps(f"compiling {baseline.name}"):
        short = log.first(WARM_UP_EVENTS)
        for _ in PEERS[baseline.peer].make(short, baseline.parameters).run():
            pass
    peer, log = new_peer(baseline.peer, baseline.parameters, log, plan.protocol)
    us_per_event = run_timed(baseline.name, peer.run(), len(log.user))
    score = score_ranks(
        baseline.name,
        peer.rank,
        log,
        ks,
        us_per_event,
        memory_bytes=memory_bytes(peer, without=(log, peer.events, peer.rank, peer.predicted)),
        tuned=baseline.tuned,
        parameters=baseline.parameters,
    )
    if peer.predicted is None or not plan.knows_all_before:
        return score
    return with_rating_error(score, peer.predicted, log)


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
    for each in (engine, *others):
        each.silence(feature_columns(plan.without, model.half_lives_s))
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
    if plan.protocol == SPLIT:
        return SplitPrequential(
            engine,
            score_test(log),
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
    return Prequential(
        engine,
        log,
        n_partitions=plan.n_partitions,
        list_every=plan.list_every,
        batch_events_max=plan.batch_events_max,
    )


def warm_up(settings: Settings, log: LogColumns, plan: Plan) -> None:
    """Compile the kernels, on an engine that is thrown away."""
    short = log.first(WARM_UP_EVENTS)
    with show_steps("compiling (only after a change)"), shared_compiling():
        for _ in new_run(settings, short, plan._replace(list_every=1)).run():
            pass
