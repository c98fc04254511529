"""Workers on a real Kafka, struck by every fault, and the supervisor that starts them again.

`Chaos` owns topics, workers and their disks. The supervisor starts every worker that has ended, as
docker, systemd or Kubernetes do; nobody else helps. `run` sends the log in slices, as fast as Kafka
takes it, and strikes with a fault (faults.py) while each is being processed. At the end `check`
compares with an uninterrupted fold of the same log.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from stream_rec.config import load_settings
from stream_rec.stream.asking import KafkaUnreachableError
from tests.kafka.chaos_log import Kind, Rows, dead_letters, fold, last_lists
from tests.kafka.conftest import create_topic
from tests.kafka.local_broker import LocalCluster, admin_client
from tests.stream.topics import (
    committed,
    read_all,
    restore_changelogs,
    send,
    wait_until_committed,
)
from tests.stream.worker_process import WorkerProcess

N_PARTITIONS = 8
N_WORKERS = 3
TIMEOUT_S = 120.0
SESSION_TIMEOUT_S = 4
POLL_INTERVAL_S = 0.1
TOPICS = {
    "events": "delete",
    "dlq": "delete",
    "recommendations": "compact",
    "items_changelog": "compact",
    "profiles_changelog": "compact",
}

Fault = Callable[["Chaos"], None]


class Chaos:
    """An application of its own, its workers, and what happens to them.

    Parameters
    ----------
    cluster : LocalCluster
        Started; its nodes may be killed.
    folder : Path
        Of the workers' disks.
    kind : Kind
        The engine that the workers run.
    seed : int
        Of all choices.

    Attributes
    ----------
    exits : list of int
        Exit status of every worker process that ended before the end: below 0, the signal.
    struck : list of str
        The faults so far.
    """

    def __init__(self, cluster: LocalCluster, folder: Path, kind: Kind, seed: int) -> None:
        self.cluster = cluster
        self.random = random.Random(seed)
        self.exits: list[int] = []
        self.struck: list[str] = []
        self._folder = folder
        self._kind = kind
        name = f"chaos-{seed}"
        overrides: dict[str, object] = {
            "app_id": name,
            "kafka.broker": cluster.bootstrap,
            "kafka.session_timeout_s": SESSION_TIMEOUT_S,
            "kafka.heartbeat_interval_s": 1,
            "kafka.delivery_timeout_ms": 3_000,
            "worker.commit_interval_s": 0.3,
            "worker.stall_timeout_s": 30,
            **{f"topics.{key}": f"{name}-{key}" for key in TOPICS},
        }
        self.settings = load_settings(None, overrides)
        self._create_topics(admin_client(cluster.bootstrap))
        self.workers = [
            WorkerProcess(overrides | {"worker.state_dir": self._disk(number)}, kind.module)
            for number in range(N_WORKERS)
        ]
        self._left_alone: set[WorkerProcess] = set()
        self._stopping = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> Chaos:
        for worker in self.workers:
            worker.start()
        self._supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._supervisor.join()
        for number, worker in enumerate(self.workers):
            if worker.is_running:
                worker.kill()
            print(f"worker {number}:\n{worker.log}")  # pytest shows it where a test failed

    def run(self, records: Sequence[tuple[bytes, bytes]], faults: Sequence[Fault]) -> None:
        """Send the log in slices, with a fault when half of each but the last is processed."""
        size = -(-len(records) // (len(faults) + 1))
        for number, fault in enumerate(faults):
            self._send(records[number * size : (number + 1) * size])
            self._wait_until_committed(number * size + size // 2)
            self.struck.append(fault.__name__)
            fault(self)
        self._send(records[len(faults) * size :])

    def check(self) -> None:
        """Wait until all is processed, then compare with an uninterrupted fold."""
        broker, topics = self.settings.kafka.broker, self.settings.topics
        wait_until_committed(broker, self.settings.app_id, topics.events, N_PARTITIONS)
        expected = fold(read_all(broker, topics.events), N_PARTITIONS, self._kind)
        assert self._restored_rows() == expected.rows
        lists = last_lists(read_all(broker, topics.recommendations))
        assert lists == expected.last_of_user
        assert dead_letters(read_all(broker, topics.dlq)) == expected.refused

    # For the faults

    def any_worker(self) -> WorkerProcess:
        """Choose one, of those that run if any does."""
        running = [worker for worker in self.workers if worker.is_running]
        return self.random.choice(running or self.workers)

    @contextlib.contextmanager
    def take_down(self, worker: WorkerProcess) -> Iterator[WorkerProcess]:
        """Kill a worker and keep the supervisor from it for a moment."""
        self._left_alone.add(worker)
        if worker.is_running:
            worker.kill()
            self.exits.append(worker.wait())
        yield worker
        self._left_alone.discard(worker)

    def disk(self, worker: WorkerProcess) -> Path:
        """Return the folder that a worker keeps its state in."""
        return self._disk(self.workers.index(worker))

    # Inside

    def _disk(self, number: int) -> Path:
        return self._folder / f"disk-{number}"

    def _supervise(self) -> None:
        while not self._stopping.wait(POLL_INTERVAL_S):
            for worker in self.workers:
                if worker not in self._left_alone and not worker.is_running:
                    self.exits.append(worker.wait())
                    worker.start()

    def _send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        send(self.settings.kafka.broker, self.settings.topics.events, records)

    def _n_committed(self) -> int:
        """Count the events behind the committed offsets; 0 while no coordinator answers."""
        topics = self.settings.topics
        broker, app_id = self.settings.kafka.broker, self.settings.app_id
        try:
            return sum(committed(broker, app_id, topics.events, N_PARTITIONS).values())
        except (KafkaException, KafkaUnreachableError):
            return 0

    def _wait_until_committed(self, n_records: int) -> None:
        most, deadline_s = -1, 0.0
        while (seen := self._n_committed()) < n_records:
            if seen > most:
                most, deadline_s = seen, time.monotonic() + TIMEOUT_S
            still = f"still {most} of {n_records} after {TIMEOUT_S:g} s"
            assert time.monotonic() < deadline_s, still
            time.sleep(POLL_INTERVAL_S)

    def _restored_rows(self) -> dict[tuple[str, int], Rows]:
        """Return what a worker with an empty disk would restore, by table and partition."""
        restored = restore_changelogs(self.settings, self.settings.kafka.broker)
        rows: dict[tuple[str, int], dict[bytes, bytes]] = {
            (table, partition): {} for table in restored for partition in range(N_PARTITIONS)
        }
        for table, by_place in restored.items():
            for (partition, key), row in by_place.items():
                rows[table, partition][key] = row
        return {where: self._kind.exact(found) for where, found in rows.items()}

    def _create_topics(self, admin: AdminClient) -> None:
        n_replicas = min(3, len(self.cluster.nodes))
        for key, policy in TOPICS.items():
            name = getattr(self.settings.topics, key)
            config = {"cleanup.policy": policy}
            create_topic(admin, NewTopic(name, N_PARTITIONS, n_replicas, config=config))
