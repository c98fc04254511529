"""After a user was forgotten no topic, store or export holds their id; the bytes are read."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_rec.cli.main import cli
from stream_rec.config import load_settings
from stream_rec.model.ids import hash_id
from stream_rec.stream.state.export_file import ExportReader
from tests.stream.topics import read_all, send, wait_until_committed
from tests.stream.worker_process import WorkerProcess

USER = "user-to-be-forgotten-2f6c"
HASH = hash_id(USER).to_bytes(8, "big")
N_PARTITIONS = 2
DEADLINE_S = 300.0
COMPACTED_AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.ms": "500",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "0",
}


class Application:
    """A worker with the real engine, and the topics that it reads and writes."""

    def __init__(self, address: str, new_topic: Callable[..., str], folder: Path) -> None:
        self.folder = folder
        topics = {
            "events": new_topic("events", N_PARTITIONS),
            "dlq": new_topic("dlq", 1),
            "recommendations": new_topic("lists", N_PARTITIONS, config=COMPACTED_AT_ONCE),
            "items_changelog": new_topic("items", N_PARTITIONS, config=COMPACTED_AT_ONCE),
            "profiles_changelog": new_topic("profiles", N_PARTITIONS, config=COMPACTED_AT_ONCE),
        }
        self.options: dict[str, object] = {
            "app_id": topics["events"],
            "kafka.broker": address,
            "worker.commit_interval_s": 0.3,
            "worker.state_dir": folder,
            **{f"topics.{key}": name for key, name in topics.items()},
        }
        self.settings = load_settings(None, self.options)
        self.broker = address
        self.worker = WorkerProcess(self.options, "tests.stream.real_worker")

    def send(self, *users: str) -> None:
        """Send an event of each user and wait until all is durable."""
        events = [
            (user.encode(), json.dumps({"user": user, "item": item, "type": "click"}).encode())
            for user in users
            for item in ("alien", "brazil")
        ]
        topics = self.settings.topics
        send(self.broker, topics.events, events, "murmur2_random")
        wait_until_committed(self.broker, self.settings.app_id, topics.events, N_PARTITIONS)

    def run(self, *arguments: str, status: int = 0) -> None:
        options = [
            text for key, value in self.options.items() for text in ("--set", f"{key}={value}")
        ]
        result = CliRunner().invoke(cli, [*options, *arguments])
        assert result.exit_code == status, result.output

    def topics_that_hold_it(self) -> set[str]:
        return {
            topic
            for topic in self.settings.topics.names
            for message in read_all(self.broker, topic)
            if holds_it((message.key() or b"") + (message.value() or b""))
        }

    def files_that_hold_it(self) -> set[Path]:
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {path for path in files if holds_it(read_if_there(path))}

    def exported_rows(self) -> bytes:
        """Return all bytes of an export made now."""
        file = self.folder.with_name("state.zst")
        self.run("state", "export", str(file))
        reader = ExportReader(file)
        rows = [row for _ in reader.header.stores for row in reader.read_store()]
        reader.check_end()
        reader.close()
        return b"".join(itertools.chain.from_iterable(rows))


def holds_it(content: bytes) -> bool:
    return USER.encode() in content or HASH in content


def read_if_there(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # compacted away a moment ago
        return b""


@pytest.fixture
def application(
    kafka_address: str, new_topic: Callable[..., str], tmp_path: Path
) -> Iterator[Application]:
    application = Application(kafka_address, new_topic, tmp_path / "state")
    with application.worker:
        yield application
        print(application.worker.log)


@pytest.mark.timeout(600)
def test_nothing_holds_the_id_of_a_forgotten_user(application: Application) -> None:
    topics = application.settings.topics
    others = [f"user-{number}" for number in range(20)]
    application.worker.wait_until_ready()
    application.send(USER, *others)
    written = {topics.events, topics.recommendations, topics.profiles_changelog}
    assert application.topics_that_hold_it() == written
    assert application.files_that_hold_it()
    assert holds_it(application.exported_rows())

    application.run("state", "inspect", "--user", USER)
    application.run("forget", USER, "--delete-events")
    application.run("state", "inspect", "--user", USER, status=1)
    deadline = time.monotonic() + DEADLINE_S
    while held := application.topics_that_hold_it() | application.files_that_hold_it():
        assert time.monotonic() < deadline, held
        application.send(*others)  # a segment is compacted only when another one follows it
    assert not holds_it(application.exported_rows())
    application.run("state", "verify")
