"""How long from an event to its list, at a given rate, beside the bare round trip through Kafka.

    pipeline      event due → Kafka → worker → Kafka → list at a subscriber
    round trip    event due → Kafka → the same event at a subscriber

Both at the same rate, by the same sender and subscriber, one after the other on the same broker,
with the worker running all the time. The sender is an open loop (stream_rec/bench/schedule.py).
Every latency is recorded in an HdrHistogram.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from hdrh.histogram import HdrHistogram

from stream_rec.bench.broker import Bench, open_broker
from stream_rec.bench.events import Population, encode_events
from stream_rec.bench.histogram import histogram_of, percentile_ms
from stream_rec.bench.processes import SPAWN, Contestant
from stream_rec.bench.result import Report, Result
from stream_rec.bench.schedule import Schedule, Sent, run_sender
from stream_rec.bench.subscriber import Subscriber
from stream_rec.bench.topic_ends import TopicEnds, send_all
from stream_rec.errors import StreamRecError
from stream_rec.settings import Settings

RATES = (100, 1_000, 5_000, 10_000)
WARM_UP_S = 1.0
ECHO = "echo"
SETTLE_S = 0.5
"""Between telling the sender to start and its first event."""
DRAIN_S = 20.0
"""How long the last list is waited for beyond the schedule."""
CATCH_UP_TIMEOUT_S = 300.0
POLL_INTERVAL_S = 0.05
PERCENTILES = (50.0, 90.0, 99.0, 99.9, 100.0)


class LatencyPlan(NamedTuple):
    """What to measure.

    Attributes
    ----------
    population : Population
    n_history : int
        Events that the worker has learned before.
    warm_up_s, seconds : float
        At each rate: how long it is sent at without and with being measured.
    """

    population: Population
    n_history: int
    warm_up_s: float
    seconds: float


class Distribution(NamedTuple):
    """Latencies of one kind.

    Attributes
    ----------
    histogram : HdrHistogram
        In µs.
    n_missing : int
        Events without a list when the waiting ended; counted with the time waited until then.
    late_ms_max : float
        How late the sender was at most.
    """

    histogram: HdrHistogram
    n_missing: int
    late_ms_max: float

    def ms(self, percentile: float) -> float:
        """Return a percentile in ms."""
        return percentile_ms(self.histogram, percentile)


class LatencyFigures(NamedTuple):
    """Of one rate: the pipeline and the bare round trip."""

    rate: int
    pipeline: Distribution
    round_trip: Distribution


def measure_latency(
    settings: Settings, plan: LatencyPlan, rates: Sequence[int], report: Report
) -> Iterator[LatencyFigures]:
    """Measure the latencies at each rate, on one broker with one worker.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` says on which broker.
    plan : LatencyPlan
    rates : sequence of int
        Events per second.
    report : Report
        Told what is being done.

    Raises
    ------
    StreamRecError
    """
    from stream_rec.compiling import shared_compiling
    from stream_rec.model.warm_up import warm_up
    from stream_rec.stream.worker import run_worker

    report("compiling (only after a change)")
    with shared_compiling():
        warm_up(settings.model, settings.events)
    with open_broker(settings, [ECHO]) as bench:
        topics = bench.settings.topics
        lists = TopicEnds(bench.settings.kafka, topics.recommendations, topics.partitions)
        with Contestant("worker", bench.folder, run_worker, bench.settings) as worker:
            report(f"the worker learns {plan.n_history:,} events")
            events = encode_events(plan.population, plan.n_history)
            send_all(bench.settings.kafka, topics.events, events)
            n_sent = plan.n_history
            for rate in rates:
                catch_up(worker, lists, n_sent)
                report(f"round trip at {rate:,} events/s")
                round_trip = _measure(bench, plan, rate, n_sent, bench.topic(ECHO), worker)
                report(f"pipeline at {rate:,} events/s")
                pipeline = _measure(bench, plan, rate, n_sent, topics.events, worker)
                n_sent += _n_events(plan, rate)
                yield LatencyFigures(rate, pipeline, round_trip)
        lists.close()


def _n_events(plan: LatencyPlan, rate: int) -> int:
    return round((plan.warm_up_s + plan.seconds) * rate)


def catch_up(worker: Contestant, lists: TopicEnds, n_sent: int) -> None:
    """Wait until every event so far is answered, so that no backlog meets the next measurement."""
    deadline_s = time.monotonic() + CATCH_UP_TIMEOUT_S
    while (n_lists := lists.count()) < n_sent:
        worker.require_running()
        if time.monotonic() > deadline_s:
            raise StreamRecError(
                f"expected {n_sent} lists within {CATCH_UP_TIMEOUT_S:g} s, came {n_lists}; the "
                f"worker's log:\n{worker.log()}"
            )
        time.sleep(POLL_INTERVAL_S)


def _measure(
    bench: Bench, plan: LatencyPlan, rate: int, first: int, topic: str, worker: Contestant
) -> Distribution:
    kafka, topics = bench.settings.kafka, bench.settings.topics
    followed = topics.recommendations if topic == topics.events else topic
    schedule = Schedule(plan.population, first, _n_events(plan, rate), rate)
    here, there = SPAWN.Pipe()
    sender = Contestant("sender", bench.folder, run_sender, kafka, topic, schedule, there)
    with Subscriber(kafka, followed, topics.partitions) as subscriber, sender:
        sender.receive(here)
        start_s = time.monotonic() + SETTLE_S
        here.send(start_s)
        end_s = start_s + schedule.n_events / rate + DRAIN_S
        arrived_s = subscriber.receive(first, schedule.n_events, end_s)
        waited_until_s = time.monotonic()
        worker.require_running()
        sent: Sent = sender.receive(here)
    if sent.n_lost:
        raise StreamRecError(f"expected Kafka to take all events, {sent.n_lost} are lost")
    due_s = start_s + np.arange(schedule.n_events) / rate
    measured = due_s >= start_s + plan.warm_up_s
    is_missing = np.isnan(arrived_s[measured])
    took_s = np.where(is_missing, waited_until_s, arrived_s[measured]) - due_s[measured]
    return Distribution(histogram_of(took_s), int(is_missing.sum()), sent.late_s_max * 1000)


def result_of(measured: Sequence[LatencyFigures]) -> Result:
    """Return the table, in ms, and the figures: of one rate, or a list of those of several."""
    figures = [
        {
            "rate": one.rate,
            "p50_ms": round(one.pipeline.ms(50), 3),
            "p99_ms": round(one.pipeline.ms(99), 3),
            "round_trip_p50_ms": round(one.round_trip.ms(50), 3),
        }
        for one in measured
    ]
    return Result(
        title="Event due → list received, beside the bare Kafka round trip at the same rate (ms)",
        columns=(
            "events/s",
            "",
            *(f"p{percentile:g}" for percentile in PERCENTILES[:-1]),
            "max",
            "p50 is",
            "unanswered",
            "sender late",
        ),
        rows=[row for one in measured for row in _rows_of(one)],
        figures=figures[0] if len(figures) == 1 else figures,
    )


def _rows_of(figures: LatencyFigures) -> Sequence[Sequence[str]]:
    rows = []
    for name, one in (("event → list", figures.pipeline), ("round trip", figures.round_trip)):
        rows.append(
            (
                f"{figures.rate:,}",
                name,
                *(f"{one.ms(percentile):,.1f}" for percentile in PERCENTILES),
                f"{one.ms(50) / figures.round_trip.ms(50):.2f} ×",
                f"{one.n_missing:,}",
                f"{one.late_ms_max:.1f}",
            )
        )
    return rows
