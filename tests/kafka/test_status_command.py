"""``stream-rec status`` against a real Kafka and a worker: what it shows is what was done."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stream_rec.cli.main import cli
from tests.kafka.test_many_workers import free_port
from tests.stream.topics import make_events, send, wait_until_committed
from tests.stream.worker_process import WorkerProcess

N_PARTITIONS = 3
N_EVENTS = 500
N_BAD = 5
COMPACTED = {"cleanup.policy": "compact"}


@pytest.fixture
def overrides(kafka_address: str, new_topic: Callable[..., str]) -> dict[str, object]:
    topics = {
        "events": new_topic("events", N_PARTITIONS),
        "dlq": new_topic("dlq"),
        "recommendations": new_topic("lists", N_PARTITIONS, config=COMPACTED),
        "items_changelog": new_topic("items", N_PARTITIONS, config=COMPACTED),
        "profiles_changelog": new_topic("profiles", N_PARTITIONS, config=COMPACTED),
    }
    return {
        "app_id": f"status-{uuid.uuid4().hex[:8]}",
        "kafka.broker": kafka_address,
        "worker.commit_interval_s": 0.3,
        "worker.web_enabled": True,
        "worker.web_port": free_port(),
        **{f"topics.{key}": name for key, name in topics.items()},
    }


@pytest.fixture
def worker(overrides: dict[str, object], tmp_path: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess(overrides | {"worker.state_dir": tmp_path}) as worker:
        yield worker.wait_until_ready()
    print(worker.log)  # pytest shows it where a test failed


def run(overrides: dict[str, object], *arguments: str) -> Result:
    settings = [f"--set={key}={value}" for key, value in overrides.items()]
    return CliRunner().invoke(cli, [*settings, "status", "--seconds=0.1", *arguments])


def test_status_is_what_was_done(overrides: dict[str, object], worker: WorkerProcess) -> None:
    broker, events = str(overrides["kafka.broker"]), str(overrides["topics.events"])
    send(broker, events, make_events(N_EVENTS, bad_every=N_EVENTS // N_BAD))
    wait_until_committed(broker, str(overrides["app_id"]), events, N_PARTITIONS)
    found: dict[str, Any] = json.loads(run(overrides, "--json").output)
    assert (found["state"], found["lag"]) == ("STABLE", 0)
    [member] = found["members"]
    assert member["partitions"] == list(range(N_PARTITIONS))
    assert sum(one["committed"] for one in found["partitions"]) == N_EVENTS
    assert {one["member_id"] for one in found["partitions"]} == {member["member_id"]}
    assert found["n_records"][overrides["topics.recommendations"]] == N_EVENTS - N_BAD
    assert found["n_records"][overrides["topics.dlq"]] == N_BAD
    [answer] = found["workers"]
    assert answer["stats"]["events"] == N_EVENTS
    assert answer["stats"]["stores"]["items"]["rows"] > 0

    screen = run(overrides).output
    assert "group stable, 1 worker\n0 events behind" in screen
    assert f"127.0.0.1:{overrides['worker.web_port']}" in screen


def test_status_without_a_worker_says_so(overrides: dict[str, object]) -> None:
    broker, events = str(overrides["kafka.broker"]), str(overrides["topics.events"])
    send(broker, events, make_events(20))
    screen = run(overrides, f"--worker=127.0.0.1:{overrides['worker.web_port']}").output
    assert "0 workers\n20 events behind" in screen
    assert "start one with `stream-rec worker`" in screen
    assert "no answer from 127.0.0.1" in screen


def test_missing_topics_are_named(overrides: dict[str, object]) -> None:
    result = run(overrides | {"topics.dlq": "nowhere"})
    assert result.exit_code == 1
    assert "nowhere are not there; `stream-rec topics create`" in result.output
