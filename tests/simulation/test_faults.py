"""The simulation can catch bugs: each fault that is planted is found within 300 seeds.

``SEEDS`` says which seed found it when the table in docs/simulation.md was made. It is tried first;
where it no longer finds the fault, all 300 are.
"""

from __future__ import annotations

import pytest

from tests.simulation.check import run_and_check
from tests.simulation.faults import FAULTS
from tests.simulation.finding import SEEDS_MAX, fails_with, first_seed
from tests.simulation.schedule import draw_schedule
from tests.simulation.test_found import FOUND

SEEDS = {
    "RocksDB is written before the changelog is acknowledged": 0,
    "profiles before items": 0,
    "watermark before rows": 0,
    "commit before durable": 0,
    "no epoch check": 8,
    "Faust's own rule of acknowledgement instead of the watermark": 0,
    "a delivery error is swallowed": 20,
    "offset guard missing on item rows": 0,
    "offset guard missing on histories": 0,
    "committed offset trusted instead of the watermark": 38,
    "stale disk trusted": 0,
    "seek skipped when nothing was committed": 6,
    "lists not waited for": 101,
    "repeated records folded again": 0,
    "what a zombie overwrote is not written again": 19,
    "group that counts anew stays in its era": 157,
    "frozen profiles are read from the store": 11,
    "watermark sent right behind the profiles": 0,
    "an idle owner does not look for a zombie's records": 132,
    "profiles of forgotten users stay": 25,
    "lists of forgotten users stay": 30,
    "item rows frozen before the profiles": 15,
}
FOUND_IN_EARNEST = {
    "a commit goes on past one that has failed": "a commit went on past one that had failed",
    "profiles of forgotten users go before the watermark": (
        "a user repeats an event and is forgotten, and the removal is all that is durable"
    ),
}
"""Faults that stood in the code, and the schedules that are kept of them."""
FOUND_BY_ENUMERATION = {"what is listed to go is left"}
"""Faults that small histories find (test_exhaustive.py), and 300 seeds do not."""
TIMEOUT_S = 900


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("fault", SEEDS)
def test_planted_fault_is_found(fault: str) -> None:
    found_by = first_seed(fault, dict.fromkeys([SEEDS[fault], *range(SEEDS_MAX)]))
    assert found_by is not None, f"{SEEDS_MAX} seeds do not find: {fault}"
    assert run_and_check(draw_schedule(found_by)) == [], "found without the fault too"


@pytest.mark.parametrize("fault", FOUND_IN_EARNEST)
def test_fault_that_stood_in_the_code_is_found_by_its_schedule(fault: str) -> None:
    assert fails_with(fault, FOUND[FOUND_IN_EARNEST[fault]])


def test_every_fault_is_looked_for() -> None:
    assert SEEDS.keys() | FOUND_IN_EARNEST.keys() | FOUND_BY_ENUMERATION == FAULTS.keys()
