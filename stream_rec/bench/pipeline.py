"""How many events one worker takes, each answered with a list, beside the least that peers do.

All contestants read the same backlog of events, one after the other, each in a process of its own,
and write to a topic of their own on the same broker. The rate is that of records acknowledged in
that topic, seen from its ends, from the end of the warm-up on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from stream_rec.bench.broker import Bench, open_broker
from stream_rec.bench.engine_cost import engine_us_per_event
from stream_rec.bench.events import Population, encode_events
from stream_rec.bench.peers import aiokafka_loop, confluent_loop, faust_forwarder
from stream_rec.bench.peers.route import Route
from stream_rec.bench.processes import Contestant
from stream_rec.bench.result import Report, Result
from stream_rec.bench.topic_ends import TopicEnds, send_all
from stream_rec.errors import StreamRecError
from stream_rec.settings import Settings

POLL_INTERVAL_S = 0.02
START_TIMEOUT_S = 120.0
WARM_UP_SHARE = 0.2
WARM_UP_S_MAX = 2.0
OUTRUN_SHARE = 0.5
"""Who is past this share when the warm-up is seen to be over is measured from the last moment at
which nothing had come yet."""

PEERS: dict[str, tuple[str, Callable[[Route], None]]] = {
    "faust": ("Faust forwarder", faust_forwarder.run),
    "aiokafka": ("aiokafka loop", aiokafka_loop.run),
    "confluent": ("confluent-kafka loop", confluent_loop.run),
}


class PipelinePlan(NamedTuple):
    """What to measure.

    Attributes
    ----------
    population : Population
    n_events : int
        Length of the backlog.
    seconds : float
        How long each contestant is measured at most, after its warm-up.
    """

    population: Population
    n_events: int
    seconds: float


class Throughput(NamedTuple):
    """What one contestant did.

    Attributes
    ----------
    name : str
    events_per_s : float
    cpu_us_per_event : float
        Processor time of its process, all threads.
    """

    name: str
    events_per_s: float
    cpu_us_per_event: float


class PipelineFigures(NamedTuple):
    """The worker, the peers by their names in `PEERS`, and the engine alone in µs an event."""

    worker: Throughput
    peers: dict[str, Throughput]
    engine_us: float

    @property
    def overhead_us(self) -> float:
        """What Kafka and Faust add to the engine, in µs of the worker's processor time."""
        return self.worker.cpu_us_per_event - self.engine_us

    def ratio_to(self, peer: str) -> float:
        """Return the worker's rate over a peer's."""
        return self.worker.events_per_s / self.peers[peer].events_per_s


def measure_pipeline(settings: Settings, plan: PipelinePlan, report: Report) -> PipelineFigures:
    """Measure the worker and its peers on one broker.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` says on which.
    plan : PipelinePlan
    report : Report
        Told what is being done.

    Raises
    ------
    StreamRecError
    """
    from stream_rec.model.warm_up import warm_up
    from stream_rec.stream.worker import run_worker

    report("compiling (only after a change)")
    warm_up(settings.model, settings.events)
    events = encode_events(plan.population, plan.n_events)
    with open_broker(settings, PEERS) as bench:
        topics = bench.settings.topics
        report(f"sending {plan.n_events:,} events")
        send_all(bench.settings.kafka, topics.events, events)
        report("worker")
        contestant = Contestant("worker", bench.folder, run_worker, bench.settings)
        worker = _measure(bench, plan, contestant, topics.recommendations)
        peers = {}
        for key, (name, run) in PEERS.items():
            report(name)
            topic = bench.topic(key)
            route = Route(bench.settings.kafka, topics.events, topic, topic)
            contestant = Contestant(name, bench.folder, run, route)
            peers[key] = _measure(bench, plan, contestant, topic)
    report("engine alone")
    n_warm_up = int(plan.n_events * WARM_UP_SHARE)
    return PipelineFigures(
        worker, peers, engine_us_per_event(settings, events, n_warm_up, plan.seconds)
    )


def _measure(bench: Bench, plan: PipelinePlan, contestant: Contestant, topic: str) -> Throughput:
    ends = TopicEnds(bench.settings.kafka, topic, bench.settings.topics.partitions)
    try:
        with contestant:
            return _watch(contestant, ends, plan)
    finally:
        ends.close()


class _Mark(NamedTuple):
    """A moment: time, records out, processor time used."""

    at_s: float
    n_records: int
    cpu_s: float


def _watch(contestant: Contestant, ends: TopicEnds, plan: PipelinePlan) -> Throughput:
    """Let a contestant warm up, then measure until its backlog or the time is over."""
    idle = _Mark(time.monotonic(), 0, contestant.cpu_s())

    def wait(until: Callable[[_Mark], bool], timeout_s: float) -> _Mark:
        nonlocal idle
        deadline_s = time.monotonic() + timeout_s
        while not until(now := _Mark(time.monotonic(), ends.count(), contestant.cpu_s())):
            contestant.require_running()
            if now.n_records == 0:
                idle = now
            if now.at_s > deadline_s:
                raise StreamRecError(
                    f"expected output of the {contestant.name} within {timeout_s:g} s, came "
                    f"{now.n_records} records; its log:\n{contestant.log()}"
                )
            time.sleep(POLL_INTERVAL_S)
        return now

    began = wait(lambda now: now.n_records > 0, START_TIMEOUT_S)
    n_warm_up = int(plan.n_events * WARM_UP_SHARE)
    start = wait(
        lambda now: now.n_records >= n_warm_up or now.at_s >= began.at_s + WARM_UP_S_MAX,
        START_TIMEOUT_S,
    )
    if start.n_records > plan.n_events * OUTRUN_SHARE:
        start = idle
    end = wait(
        lambda now: now.n_records >= plan.n_events or now.at_s >= start.at_s + plan.seconds,
        plan.seconds + START_TIMEOUT_S,
    )
    n_records = max(end.n_records - start.n_records, 1)
    return Throughput(
        contestant.name,
        n_records / (end.at_s - start.at_s),
        (end.cpu_s - start.cpu_s) * 1e6 / n_records,
    )


def result_of(figures: PipelineFigures) -> Result:
    """Return the table and the figures of a run."""
    rows = [
        (
            one.name,
            f"{one.events_per_s:,.0f}",
            f"{figures.worker.events_per_s / one.events_per_s:.3g} ×",
            f"{one.cpu_us_per_event:.1f}",
        )
        for one in (figures.worker, *figures.peers.values())
    ]
    engine_rate = f"{1e6 / figures.engine_us:,.0f}"
    return Result(
        title="One worker, a list published per event, beside peers that only forward",
        columns=("", "events/s", "worker is", "µs of processor an event"),
        rows=[
            *rows,
            ("engine alone, in process", engine_rate, "", f"{figures.engine_us:.1f}"),
            ("worker − engine", "", "", f"{figures.overhead_us:.1f}"),
        ],
        figures={
            "events_per_s": round(figures.worker.events_per_s),
            "ratio_faust_forwarder": round(figures.ratio_to("faust"), 3),
            "ratio_confluent_loop": round(figures.ratio_to("confluent"), 4),
            "overhead_us": round(figures.overhead_us, 1),
        },
    )
