"""Every history of a small world ends as an uninterrupted fold does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.exhaustive import SMALL, Histories
from tests.simulation.faults import FAULTS
from tests.simulation.run import silenced
from tests.simulation.small_logs import CLICKS, FORGETS
from tests.simulation.test_faults import FOUND_BY_ENUMERATION

TIMEOUT_S = 300


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    with silenced():
        yield


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize(("log", "n_events", "n_crashes", "n_zombies"), SMALL)
def test_every_history_ends_as_an_uninterrupted_fold(
    log: str, n_events: int, n_crashes: int, n_zombies: int
) -> None:
    histories = Histories(log, n_events, n_crashes, n_zombies)
    histories.run()
    assert histories.n_ended > 1_000
    assert not histories.wrong, histories.wrong[0]


def test_two_owners_do_not_depend_on_the_order_of_their_turns() -> None:
    histories = Histories(CLICKS, 2, 0, 0)
    fingerprints = set()
    for order in (0, 1):
        world = histories.create_world()
        workers = histories.start_two(world)
        for worker in (workers[order], workers[1 - order]):
            worker.take_turns()
        fingerprints.add(world.fingerprint())
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    "fault",
    [
        "RocksDB is written before the changelog is acknowledged",
        "profiles before items",
        "watermark before rows",
        "commit before durable",
    ],
)
def test_one_crash_finds_a_wrong_order(fault: str) -> None:
    histories = Histories(CLICKS, 4, n_crashes_max=1, n_zombies_max=0)
    with FAULTS[fault]():
        histories.run_alone()
    assert histories.wrong


@pytest.mark.parametrize(
    "fault",
    ["profiles of forgotten users go before the watermark", *FOUND_BY_ENUMERATION],
)
def test_one_crash_finds_a_removal_that_comes_early_or_never(fault: str) -> None:
    histories = Histories(FORGETS, 4, n_crashes_max=1, n_zombies_max=0)
    with FAULTS[fault]():
        histories.run()
    assert histories.wrong
