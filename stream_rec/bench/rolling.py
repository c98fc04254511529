"""How long each partition stands still while all workers are restarted, one after the other.

The interruption of a partition is the longest time between two of its lists on the output topic,
under a steady load, from the first worker's SIGTERM until the last is serving again.
"""

from __future__ import annotations

import contextlib
import time
from typing import NamedTuple

from stream_rec.bench.broker import open_broker
from stream_rec.bench.events import Population
from stream_rec.bench.group import start_member
from stream_rec.bench.load import Gaps, SteadySender
from stream_rec.bench.result import Report, Result
from stream_rec.settings import Settings

SETTLE_S = 5.0


class RollingPlan(NamedTuple):
    """What to restart, under which load.

    Attributes
    ----------
    population : Population
    n_workers : int
    rate : float
        Events per second.
    """

    population: Population
    n_workers: int
    rate: float


class RollingFigures(NamedTuple):
    """Longest gap between lists by partition, in seconds: undisturbed, and while restarting."""

    undisturbed_s: list[float]
    interrupted_s: list[float]
    restart_s: float


def measure_rolling(settings: Settings, plan: RollingPlan, report: Report) -> RollingFigures:
    """Restart every worker of a group, one after the other.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` is a real Kafka: the embedded broker does not rebalance.
    plan : RollingPlan
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
        report(f"starting {plan.n_workers} workers")
        workers = [start_member(stack, bench, number) for number in range(plan.n_workers)]
        for worker in workers:
            worker.wait_until_ready()
        gaps = stack.enter_context(Gaps(bench.settings))
        stack.enter_context(SteadySender(bench.settings, plan.population, plan.rate))
        workers[0].wait_until(lambda: gaps.is_complete)
        time.sleep(SETTLE_S)
        gaps.reset()
        time.sleep(SETTLE_S)
        undisturbed_s = gaps.worst_s()
        gaps.reset()
        started_s = time.monotonic()
        for number in range(plan.n_workers):
            report(f"restarting worker {number + 1} of {plan.n_workers}")
            workers[number].stop()
            workers[number] = start_member(stack, bench, number, life=1)
            workers[number].wait_until_ready()
            time.sleep(SETTLE_S)
        return RollingFigures(undisturbed_s, gaps.worst_s(), time.monotonic() - started_s)


def result_of(figures: RollingFigures) -> Result:
    """Return the table and the figures of a run."""
    pairs = zip(figures.undisturbed_s, figures.interrupted_s, strict=True)
    return Result(
        title="Longest time without a list, in seconds, while each worker is restarted in turn",
        columns=("partition", "undisturbed", "restarting"),
        rows=[
            (str(partition), f"{before:.2f}", f"{during:.2f}")
            for partition, (before, during) in enumerate(pairs)
        ],
        figures={
            "interruption_s_max": round(max(figures.interrupted_s), 3),
            "interruption_s": [round(one, 3) for one in figures.interrupted_s],
            "undisturbed_s_max": round(max(figures.undisturbed_s), 3),
            "rolling_restart_s": round(figures.restart_s, 1),
        },
    )
