"""Every history of a small world ends as an uninterrupted fold does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.exhaustive import SMALL, Histories
from tests.simulation.faults import FAULTS
from tests.simulation.run import silenced

TIMEOUT_S = 300


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    with silenced():
        yield


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize(("n_events", "n_crashes", "n_zombies"), SMALL)
def test_every_history_ends_as_an_uninterrupted_fold(
    n_events: int, n_crashes: int, n_zombies: int
) -> None:
    histories = Histories(n_events, n_crashes, n_zombies)
    histories.run()
    assert histories.n_ended > 1_000
    assert not histories.wrong, histories.wrong[0]


def test_two_owners_do_not_depend_on_the_order_of_their_turns() -> None:
    histories = Histories(n_events=2)
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
        "watermark before rows",
        "commit before durable",
    ],
)
def test_one_crash_finds_a_wrong_order(fault: str) -> None:
    histories = Histories(n_events=4, n_crashes_max=1, n_zombies_max=0)
    with FAULTS[fault]():
        histories.run_alone()
    assert histories.wrong
