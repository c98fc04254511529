"""Real workers, real kills: the fold stays exact, every user's list is there, nobody has to help.

They take minutes: CI runs them with ``make test ARGS="-m chaos"``, longer ones run with
``make chaos``, see docs/reliability.md.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kafka import conftest, faults
from tests.kafka.broker_jars import BrokerUnavailableError
from tests.kafka.chaos import Chaos, Fault
from tests.kafka.chaos_log import COUNTING, RECOMMENDER, Kind, recorded_events
from tests.kafka.faults import FAULTS
from tests.kafka.local_broker import LocalCluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

N_EVENTS = 200_000
KILLS = {faults.kill_worker, faults.crash_at_a_point, faults.corrupt_disk, faults.delete_disk}


def endure(
    folder: Path, kind: Kind, strikes: Sequence[Fault], n_nodes: int, n_events: int, seed: int
) -> Chaos:
    """Process a log under faults and check what comes out."""
    try:
        cluster = LocalCluster(n_nodes)
    except BrokerUnavailableError as missing:
        conftest.do_without_kafka(str(missing))
    with cluster, Chaos(cluster, folder, kind, seed) as chaos:
        chaos.run(recorded_events(n_events), strikes)
        chaos.check()
    assert chaos.exits.count(-signal.SIGKILL) >= sum(fault in KILLS for fault in strikes)
    return chaos


@pytest.mark.chaos
def test_counts_are_exact_whatever_fails(tmp_path: Path) -> None:
    strikes = [fault for fault in FAULTS if fault is not faults.stop_worker]
    endure(tmp_path, COUNTING, strikes, n_nodes=1, n_events=N_EVENTS, seed=1)


@pytest.mark.chaos
def test_recommendations_are_exact_whatever_is_killed(tmp_path: Path) -> None:
    strikes = (faults.kill_worker, faults.delete_disk, faults.crash_at_a_point)
    endure(tmp_path, RECOMMENDER, strikes, n_nodes=1, n_events=30_000, seed=2)


@pytest.mark.chaos
def test_cluster_may_lose_a_broker(tmp_path: Path) -> None:
    strikes = (faults.kill_broker, faults.kill_worker)
    endure(tmp_path, COUNTING, strikes, n_nodes=3, n_events=30_000, seed=3)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", [COUNTING, RECOMMENDER], ids=["counting", "recommender"])
@pytest.mark.parametrize("n_nodes", [1, 3])
def test_any_faults_in_any_order(tmp_path: Path, kind: Kind, n_nodes: int) -> None:
    seed, n_faults = int(os.environ.get("SEED", "0")), int(os.environ.get("FAULTS", "20"))
    strikes = random.Random(seed).choices(FAULTS, k=n_faults)
    chaos = endure(tmp_path, kind, strikes, n_nodes, N_EVENTS, seed)
    print(f"seed {seed}: {len(chaos.struck)} faults, {len(chaos.exits)} workers ended")
