"""Workers on a real Apache Kafka each hold the sum over all partitions, owned or not."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stream_rec.config import load_settings
from tests.stream.topics import make_events, send
from tests.stream.worker_process import WorkerProcess

N_PARTITIONS = 8
N_EVENTS = 4_000
TIMEOUT_S = 240
COMPACTED = {"cleanup.policy": "compact"}

pytestmark = pytest.mark.timeout(600)


class Member:
    """One worker, its view of the items, and its figures."""

    def __init__(self, overrides: dict[str, object], folder: Path) -> None:
        self._view = folder / "view.json"
        self._port = free_port()
        own = {"worker.state_dir": folder, "worker.web_port": self._port}
        self.process = WorkerProcess(overrides | own, "tests.stream.viewing_worker").start()

    def view(self) -> dict[str, int]:
        return json.loads(self._view.read_text()) if self._view.exists() else {}

    def figures(self) -> dict:
        address = f"http://127.0.0.1:{self._port}/stats"
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            return json.load(answer)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def overrides(kafka_address: str, new_topic: Callable[..., str]) -> dict[str, object]:
    topics = {
        "events": new_topic("events", N_PARTITIONS),
        "dlq": new_topic("dlq", 1),
        "recommendations": new_topic("lists", N_PARTITIONS, config=COMPACTED),
        "items_changelog": new_topic("items", N_PARTITIONS, config=COMPACTED),
        "profiles_changelog": new_topic("profiles", N_PARTITIONS, config=COMPACTED),
    }
    return {
        "app_id": topics["events"],
        "kafka.broker": kafka_address,
        "kafka.session_timeout_s": 25.0,  # no failure if the machine stands still for ten seconds
        "kafka.delivery_timeout_ms": 24_000,
        "worker.commit_interval_s": 0.5,
        "worker.web_enabled": True,
        **{f"topics.{key}": name for key, name in topics.items()},
    }


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_every_worker_counts_the_events_of_all(
    overrides: dict[str, object], tmp_path: Path, n_workers: int
) -> None:
    events = make_events(N_EVENTS)
    expected = Counter(f"i:{json.loads(value)['item']}" for _, value in events)
    broker, topic = str(overrides["kafka.broker"]), load_settings(None, overrides).topics.events
    members = [Member(overrides, tmp_path / str(number)) for number in range(n_workers)]
    try:
        send(broker, topic, events)
        wait_for_views(members, expected)  # each commits, so each owns partitions, and sees all
        print(json.dumps([member.figures()["item_view"] for member in members], indent=2))
        if n_workers > 1:  # the others take over what one leaves, and it is still the same sum
            members.pop().process.kill()
            send(broker, topic, events)
            wait_for_views(members, expected + expected)
    finally:
        for number, member in enumerate(members):
            if member.process.is_running:
                member.process.kill()
            print(f"worker {number}:\n{member.process.log}")


def wait_for_views(members: list[Member], expected: Counter[str]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while any(member.view() != expected for member in members):
        assert all(member.process.is_running for member in members)
        assert time.monotonic() < deadline, [sum(member.view().values()) for member in members]
