"""Workers on a real Apache Kafka: killed, frozen, robbed of their disks; the fold stays exact."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from stream_rec.config import load_settings
from stream_rec.stream.changelog import era_of
from tests.stream.topics import (
    accepted_events,
    fold_events,
    make_events,
    read_all,
    read_epochs,
    restore_changelogs,
    send,
    wait_for_lists,
    wait_for_messages,
    wait_until_committed,
)
from tests.stream.worker_process import WorkerProcess

N_PARTITIONS = 4
COMPACTED = {"cleanup.policy": "compact"}


class Group:
    """An application of its own on the real Kafka, and the workers that serve it."""

    def __init__(self, address: str, new_topic: Callable[..., str], folder: Path) -> None:
        self.broker = address
        self._folder = folder
        self._workers: list[WorkerProcess] = []
        topics = {
            "events": new_topic("events", N_PARTITIONS),
            "dlq": new_topic("dlq", 1),
            "recommendations": new_topic("lists", N_PARTITIONS, config=COMPACTED),
            "items_changelog": new_topic("items", N_PARTITIONS, config=COMPACTED),
            "profiles_changelog": new_topic("profiles", N_PARTITIONS, config=COMPACTED),
        }
        self._overrides = {
            "app_id": topics["events"],
            "kafka.broker": address,
            "kafka.session_timeout_s": 6,
            "kafka.heartbeat_interval_s": 1,
            "kafka.delivery_timeout_ms": 5_000,
            "worker.commit_interval_s": 0.3,
            "worker.shutdown_timeout_s": 25.0,  # no failure if the machine stands still
            **{f"topics.{key}": name for key, name in topics.items()},
        }
        self.settings = load_settings(None, self._overrides)
        self.topics = self.settings.topics

    def start_worker(self) -> WorkerProcess:
        """Start one more worker, on a disk of its own, and wait until it serves."""
        return self.add_worker(self.disk(len(self._workers))).start().wait_until_ready()

    def add_worker(self, disk: Path) -> WorkerProcess:
        """Return a worker on a disk, not started yet; `stop` ends it."""
        worker = WorkerProcess(self._overrides | {"worker.state_dir": disk})
        self._workers.append(worker)
        return worker

    def disk(self, number: int) -> Path:
        return self._folder / f"disk-{number}"

    def send(self, events: list) -> None:
        send(self.broker, self.topics.events, events)

    def wait_until_done(self) -> None:
        """Wait until every event has its list and is committed."""
        wanted = accepted_events(self.broker, self.topics.events)
        wait_for_lists(self.broker, self.topics.recommendations, wanted)
        wait_until_committed(self.broker, self.settings.app_id, self.topics.events, N_PARTITIONS)

    def assert_fold_is_exact(self) -> None:
        """Compare what the changelogs restore with an uninterrupted fold of the events."""
        folded = fold_events(read_all(self.broker, self.topics.events), N_PARTITIONS)
        assert restore_changelogs(self.settings, self.broker) == folded

    def stop(self) -> None:
        """End what still runs, and print the logs: pytest shows them where a test failed."""
        for number, worker in enumerate(self._workers):
            if worker.is_running:
                worker.kill()
            print(f"worker {number}:\n{worker.log}")


@pytest.fixture
def group(kafka_address: str, new_topic: Callable[..., str], tmp_path: Path) -> Iterator[Group]:
    group = Group(kafka_address, new_topic, tmp_path)
    yield group
    group.stop()


@pytest.mark.parametrize("disk", ["kept", "deleted"])
def test_fold_is_exact_after_kills(group: Group, disk: str) -> None:
    events = make_events(20_000, bad_every=100)
    worker = group.start_worker()
    group.send(events[:10_000])
    wait_for_messages(group.broker, group.topics.recommendations, 6_000)
    worker.kill()
    if disk == "deleted":
        shutil.rmtree(group.disk(0))
    worker.start()
    group.send(events[10_000:])
    group.wait_until_done()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.log
    group.assert_fold_is_exact()


def test_fold_is_exact_while_workers_come_and_go(group: Group) -> None:
    events = make_events(15_000)
    first = group.start_worker()
    group.send(events[:5_000])
    second = group.start_worker()
    group.send(events[5_000:10_000])
    first.signal(signal.SIGTERM)
    assert first.wait() == 0, first.log
    group.send(events[10_000:])
    group.wait_until_done()
    second.signal(signal.SIGTERM)
    assert second.wait() == 0, second.log
    group.assert_fold_is_exact()


def test_frozen_worker_that_wakes_up_writes_nothing_that_counts(group: Group) -> None:
    events = make_events(15_000)
    zombie = group.start_worker()
    group.send(events[:5_000])
    wait_for_messages(group.broker, group.topics.recommendations, 1_000)
    zombie.signal(signal.SIGSTOP)
    group.start_worker()
    group.send(events[5_000:10_000])
    group.wait_until_done()
    zombie.signal(signal.SIGCONT)
    group.send(events[10_000:])
    group.wait_until_done()
    group.assert_fold_is_exact()


def test_transaction_markers_are_no_lost_events(group: Group) -> None:
    producer = Producer(
        {"bootstrap.servers": group.broker, "transactional.id": group.settings.app_id}
    )
    producer.init_transactions()
    events = make_events(300)
    for first in range(0, 300, 50):
        producer.begin_transaction()
        for key, value in events[first : first + 50]:
            producer.produce(group.topics.events, value, key)
        producer.commit_transaction()
    group.start_worker()
    wait_for_lists(
        group.broker,
        group.topics.recommendations,
        accepted_events(group.broker, group.topics.events),
    )
    group.send(make_events(100))
    wait_for_lists(
        group.broker,
        group.topics.recommendations,
        accepted_events(group.broker, group.topics.events),
    )


def test_deleted_group_goes_on_in_the_next_era(group: Group, kafka_admin: AdminClient) -> None:
    worker = group.start_worker()
    group.send(make_events(500))
    group.wait_until_done()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    app_id = group.settings.app_id
    kafka_admin.delete_consumer_groups([app_id])[app_id].result(30)
    worker.start().wait_until_ready()
    group.send(make_events(500))
    group.wait_until_done()
    group.assert_fold_is_exact()
    epochs = read_epochs(group.broker, group.topics.items_changelog)
    assert {era_of(epoch) for epoch in epochs} == {0, 1}


def test_unknown_state_is_refused_before_anything_is_written(
    group: Group, kafka_admin: AdminClient
) -> None:
    worker = group.start_worker()
    group.send(make_events(500))
    group.wait_until_done()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    before = restore_changelogs(group.settings, group.broker)
    topics = group.topics
    names = [topics.events, topics.recommendations, topics.items_changelog]
    names.append(topics.profiles_changelog)
    for answer in kafka_admin.create_partitions(
        [NewPartitions(name, N_PARTITIONS + 1) for name in names]
    ).values():
        answer.result(30)
    worker.start()
    assert worker.wait() == 1
    assert f"to have {N_PARTITIONS} partitions" in worker.log
    assert restore_changelogs(group.settings, group.broker) == before


def test_second_worker_on_a_state_folder_is_refused_at_its_start(group: Group) -> None:
    first = group.start_worker()
    second = group.add_worker(group.disk(0)).start()
    assert second.wait() == 1
    assert "another is running; give each its own" in second.log
    first.kill()
    second.start().wait_until_ready()
