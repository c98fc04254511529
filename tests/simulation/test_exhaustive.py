"""Every history of a small world ends as an uninterrupted fold does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.exhaustive import Histories
from tests.simulation.faults import FAULTS
from tests.simulation.run import silenced

TIMEOUT_S = 300
N_EVENTS = 4
N_EVENTS_WITH_ZOMBIE = 2


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    with silenced():
        yield


@pytest.mark.timeout(TIMEOUT_S)
def test_two_crashes_anywhere_lose_nothing() -> None:
    histories = Histories(N_EVENTS)
    histories.run_crashes()
    assert histories.n_ended > 1_000
    assert not histories.wrong, histories.wrong[0]


@pytest.mark.timeout(TIMEOUT_S)
def test_zombie_that_wakes_anywhere_changes_nothing() -> None:
    histories = Histories(N_EVENTS_WITH_ZOMBIE, n_crashes_max=0)
    histories.run_zombies()
    assert histories.n_ended > 1_000
    assert not histories.wrong, histories.wrong[0]


@pytest.mark.parametrize(
    "fault",
    [
        "RocksDB is written before the changelog is acknowledged",
        "watermark before rows",
        "commit before durable",
    ],
)
def test_one_crash_finds_a_wrong_order(fault: str) -> None:
    histories = Histories(N_EVENTS, n_crashes_max=1)
    with FAULTS[fault]():
        histories.run_crashes()
    assert histories.wrong
