"""One worker under load for a long time: is memory flat, and is the lag gone after each burst.

Every `PERIOD_S` the load is ten times as high for `BURST_S`. Resident memory and open files are
sampled all the time; the slope is that of a line through the samples of the second half, by least
squares over the number of events.
"""

from __future__ import annotations

import contextlib
import time
from typing import NamedTuple

import numpy as np
import psutil

from stream_rec.bench.broker import open_broker
from stream_rec.bench.events import Population
from stream_rec.bench.load import SteadySender
from stream_rec.bench.processes import Contestant
from stream_rec.bench.result import Report, Result
from stream_rec.bench.topic_ends import TopicEnds
from stream_rec.errors import StreamRecError
from stream_rec.settings import Settings
from stream_rec.stream.worker import run_worker

BURST_FACTOR = 10
BURST_S = 5.0
PERIOD_S = 60.0
SAMPLE_INTERVAL_S = 1.0
DRAIN_TIMEOUT_S = 300.0
LAG_SHARE_OF_A_SECOND = 0.5
BYTES_PER_MIB = 1 << 20


class SoakPlan(NamedTuple):
    """What to run: how long, and at which normal rate, in events per second."""

    population: Population
    minutes: float
    rate: float


class Sample(NamedTuple):
    """A look at the worker."""

    at_s: float
    n_lists: int
    resident_mib: float
    n_files: int
    lag: int


class SoakFigures(NamedTuple):
    """All samples, and for each burst the seconds from its end until the lag was gone."""

    samples: list[Sample]
    drained_s: list[float]

    @property
    def mib_per_million_events(self) -> float:
        """Slope of resident memory in the second half."""
        half = self.samples[len(self.samples) // 2 :]
        millions = np.array([sample.n_lists for sample in half]) / 1e6
        return float(np.polyfit(millions, [sample.resident_mib for sample in half], 1)[0])


def measure_soak(settings: Settings, plan: SoakPlan, report: Report) -> SoakFigures:
    """Run one worker under load with bursts.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` is a real Kafka.
    plan : SoakPlan
    report : Report
        Told what is being done.

    Raises
    ------
    StreamRecError
    """
    from stream_rec.model.warm_up import warm_up

    report("compiling (only after a change)")
    warm_up(settings.model, settings.events)
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(open_broker(settings))
        worker = Contestant("worker", bench.folder, run_worker, bench.settings)
        stack.enter_context(worker)
        worker.wait_until_ready()
        topics = bench.settings.topics
        lists = TopicEnds(bench.settings.kafka, topics.recommendations, topics.partitions)
        stack.callback(lists.close)
        sender = stack.enter_context(SteadySender(bench.settings, plan.population, plan.rate))
        report(f"{plan.minutes:g} minutes at {plan.rate:g} events/s, bursts of {BURST_FACTOR} ×")
        return _watch(worker, sender, lists, plan)


def _watch(
    worker: Contestant, sender: SteadySender, lists: TopicEnds, plan: SoakPlan
) -> SoakFigures:
    process = psutil.Process(worker.pid)
    started_s = time.monotonic()
    samples: list[Sample] = []
    drained_s: list[float] = []
    burst_ended_s: float | None = None
    while (at_s := time.monotonic() - started_s) < plan.minutes * 60 or burst_ended_s is not None:
        worker.require_running()
        is_over = at_s >= plan.minutes * 60
        was_burst = sender.rate > plan.rate
        is_burst = at_s % PERIOD_S >= PERIOD_S / 2 and at_s % PERIOD_S < PERIOD_S / 2 + BURST_S
        is_burst = is_burst and not is_over
        sender.rate = plan.rate * (BURST_FACTOR if is_burst else 1)
        if was_burst and not is_burst:
            burst_ended_s = at_s
        n_lists = lists.count()
        lag = max(sender.n_sent - n_lists, 0)
        resident_mib = process.memory_info().rss / BYTES_PER_MIB
        samples.append(Sample(at_s, n_lists, resident_mib, process.num_fds(), lag))
        if burst_ended_s is not None and lag <= plan.rate * LAG_SHARE_OF_A_SECOND:
            drained_s.append(at_s - burst_ended_s)
            burst_ended_s = None
        if at_s > plan.minutes * 60 + DRAIN_TIMEOUT_S:
            raise StreamRecError(f"expected the lag to go, came {lag} after {at_s:.0f} s")
        time.sleep(SAMPLE_INTERVAL_S)
    return SoakFigures(samples, drained_s)


def result_of(figures: SoakFigures) -> Result:
    """Return the table and the figures of a run."""
    samples = figures.samples
    every = max(len(samples) // 10, 1)
    drained = max(figures.drained_s, default=0.0)
    return Result(
        title=f"One worker under load: {samples[-1].n_lists:,} events in {samples[-1].at_s:.0f} s; "
        f"{figures.mib_per_million_events:.1f} MiB per million events in the second half; "
        f"lag gone {drained:.0f} s after a burst at the latest",
        columns=("second", "lists", "resident MiB", "open files", "lag"),
        rows=[
            (f"{s.at_s:.0f}", f"{s.n_lists:,}", f"{s.resident_mib:.0f}", f"{s.n_files}", f"{s.lag}")
            for s in samples[::every]
        ],
        figures={
            "events": samples[-1].n_lists,
            "mib_per_million_events": round(figures.mib_per_million_events, 2),
            "open_files_growth": samples[-1].n_files - samples[len(samples) // 4].n_files,
            "burst_drained_s": [round(one, 1) for one in figures.drained_s],
        },
    )
