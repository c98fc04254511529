"""Events a second by the number of workers that share a topic, on one real Kafka.

All workers are there before the backlog comes. The rate is that of lists acknowledged, from a fifth
of the backlog on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stream_rec.bench.broker import Bench, open_broker
from stream_rec.bench.events import Population, encode_events
from stream_rec.bench.processes import Contestant
from stream_rec.bench.result import Report
from stream_rec.bench.topic_ends import TopicEnds, send_all
from stream_rec.errors import StreamRecError
from stream_rec.settings import Settings
from stream_rec.stream.worker import run_worker

POLL_INTERVAL_S = 0.02
WARM_UP_SHARE = 0.2
TIMEOUT_S = 600.0


class GroupPlan(NamedTuple):
    """How many workers to measure, each number apart, with a backlog of `n_events`."""

    population: Population
    n_workers: Sequence[int]
    n_events: int


def start_member(
    stack: contextlib.ExitStack, bench: Bench, number: int, life: int = 0
) -> Contestant:
    """Start a worker with state of its own, until the stack is left.

    Parameters
    ----------
    stack : ExitStack
    bench : Bench
    number : int
        Which of the group's workers; each goes on with its state in its next life.
    life : int
    """
    folder: Path = bench.folder / f"worker-{number}"
    folder.mkdir(exist_ok=True)
    worker = bench.settings.worker.model_copy(update={"state_dir": folder / "state"})
    settings = bench.settings.model_copy(update={"worker": worker})
    name = f"worker {number}.{life}"
    return stack.enter_context(Contestant(name, folder, run_worker, settings))


def measure_group(settings: Settings, plan: GroupPlan, report: Report) -> dict[int, float]:
    """Return events per second by number of workers.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` is a real Kafka: the embedded broker does not share partitions out.
    plan : GroupPlan
    report : Report
        Told what is being done.

    Raises
    ------
    StreamRecError
        A worker ended, or the backlog was not worked off within ten minutes.
    """
    rates = {}
    for n_workers in plan.n_workers:
        report(f"{n_workers} workers, {plan.n_events:,} events")
        with contextlib.ExitStack() as stack:
            bench = stack.enter_context(open_broker(settings))
            workers = [start_member(stack, bench, number) for number in range(n_workers)]
            for worker in workers:
                worker.wait_until_ready()
            rates[n_workers] = _rate(stack, bench, workers, plan)
    return rates


def _rate(
    stack: contextlib.ExitStack, bench: Bench, workers: Sequence[Contestant], plan: GroupPlan
) -> float:
    topics = bench.settings.topics
    ends = TopicEnds(bench.settings.kafka, topics.recommendations, topics.partitions)
    stack.callback(ends.close)

    def wait(n_lists: float) -> tuple[float, int]:
        deadline_s = time.monotonic() + TIMEOUT_S
        while (n_here := ends.count()) < n_lists:
            for worker in workers:
                worker.require_running()
            if time.monotonic() > deadline_s:
                raise StreamRecError(
                    f"expected {n_lists:,.0f} lists within {TIMEOUT_S:g} s, came {n_here:,}"
                )
            time.sleep(POLL_INTERVAL_S)
        return time.monotonic(), n_here

    events = encode_events(plan.population, plan.n_events)
    send_all(bench.settings.kafka, topics.events, events)
    start_s, n_before = wait(plan.n_events * WARM_UP_SHARE)
    end_s, n_after = wait(plan.n_events)
    return (n_after - n_before) / (end_s - start_s)
