"""How many seeds it takes to find each planted fault."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.check import run_and_check
from tests.simulation.clock import StalledError
from tests.simulation.faults import FAULTS
from tests.simulation.schedule import draw_schedule

SEEDS_MAX = 300


def is_found_by(fault: str, seed: int) -> bool:
    """Say whether the schedule of a seed fails with a fault planted."""
    with FAULTS[fault]():
        try:
            return bool(run_and_check(draw_schedule(seed)))
        except StalledError:
            return True


def first_seed(fault: str, seeds: Iterable[int] = range(SEEDS_MAX)) -> int | None:
    """Return the first seed that finds a fault, None if none does."""
    return next((seed for seed in seeds if is_found_by(fault, seed)), None)
