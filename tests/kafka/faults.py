"""What can happen to workers, disks and brokers: each fault is a function of the chaos it strikes.

After each of them nobody helps but the supervisor, which starts a worker that has ended.
"""

from __future__ import annotations

import resource
import shutil
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kafka.chaos import Chaos

BROKER_AWAY_S = 1.0
DISK_FULL_S_MAX = 5.0
FROZEN_BEYOND_SESSION_S = 1.5
POLL_INTERVAL_S = 0.05
FLIPPED_BYTES = 3
CRASH_EFFECTS = ("acks", "write", "commit", "produce", "publish")
CRASH_NUMBER_MAX = 60
CRASH_AT = "test_crash_at"
"""Under the prefix of the settings: ``STREAM_REC_TEST_CRASH_AT``."""


def kill_worker(chaos: Chaos) -> None:
    """SIGKILL."""
    chaos.any_worker().process.kill()


def kill_all_workers(chaos: Chaos) -> None:
    """SIGKILL of every worker at once."""
    for worker in chaos.workers:
        if worker.is_running:
            worker.process.kill()


def stop_worker(chaos: Chaos) -> None:
    """SIGTERM, as in a rolling restart."""
    chaos.any_worker().signal(signal.SIGTERM)


def crash_at_a_point(chaos: Chaos) -> None:
    """SIGKILL, and once more before or after a random effect when it is back."""
    moment = chaos.random.choice(("before", "after"))
    effect = chaos.random.choice(CRASH_EFFECTS)
    number = chaos.random.randrange(1, CRASH_NUMBER_MAX)
    with chaos.take_down(chaos.any_worker()) as worker:
        worker.start({CRASH_AT: f"{moment}_{effect}:{number}"})


def freeze_worker(chaos: Chaos) -> None:
    """SIGSTOP for longer than the session timeout: it wakes up as a zombie."""
    worker = chaos.any_worker()
    worker.signal(signal.SIGSTOP)
    time.sleep(chaos.settings.kafka.session_timeout_s + FROZEN_BEYOND_SESSION_S)
    worker.signal(signal.SIGCONT)


def delete_disk(chaos: Chaos) -> None:
    """The state folder of a killed worker is gone."""
    with chaos.take_down(chaos.any_worker()) as worker:
        shutil.rmtree(chaos.disk(worker), ignore_errors=True)


def corrupt_disk(chaos: Chaos) -> None:
    """A few bytes in every RocksDB file of a killed worker are others."""
    with chaos.take_down(chaos.any_worker()) as worker:
        disk = chaos.disk(worker)
        for file in sorted([*disk.rglob("*.sst"), *disk.rglob("MANIFEST*"), *disk.rglob("*.log")]):
            content = bytearray(file.read_bytes())
            for _ in range(FLIPPED_BYTES if content else 0):
                content[chaos.random.randrange(len(content))] ^= 0xFF
            file.write_bytes(content)


def fill_disk(chaos: Chaos) -> None:
    """No file of a worker can grow any more, until it has given up and is started again."""
    process = chaos.any_worker().process
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
    deadline_s = time.monotonic() + DISK_FULL_S_MAX
    while process.poll() is None and time.monotonic() < deadline_s:
        time.sleep(POLL_INTERVAL_S)
    if process.poll() is None:  # it had nothing to write
        process.kill()


def kill_broker(chaos: Chaos) -> None:
    """SIGKILL of one node, which is started again after a while."""
    node = chaos.random.choice(chaos.cluster.nodes)
    node.kill()
    time.sleep(BROKER_AWAY_S)
    node.start()
    chaos.cluster.wait_until_ready()


FAULTS: tuple[Callable[[Chaos], None], ...] = (
    kill_worker,
    crash_at_a_point,
    freeze_worker,
    corrupt_disk,
    kill_broker,
    fill_disk,
    delete_disk,
    stop_worker,
    kill_all_workers,
)
