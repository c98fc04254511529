"""How many seeds it takes to find each planted fault."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.check import run_and_check
from tests.simulation.clock import StalledError
from tests.simulation.faults import FAULTS
from tests.simulation.schedule import Schedule, draw_schedule

SEEDS_MAX = 300


def fails_with(fault: str, schedule: Schedule) -> bool:
    """Say whether a schedule fails with a fault planted."""
    with FAULTS[fault]():
        try:
            return bool(run_and_check(schedule))
        except StalledError:
            return True


def first_seed(fault: str, seeds: Iterable[int] = range(SEEDS_MAX)) -> int | None:
    """Return the first seed whose schedule finds a fault, None if none does."""
    return next((seed for seed in seeds if fails_with(fault, draw_schedule(seed))), None)
