"""The simulated world: machines, broker, group and network, struck as a schedule says.

Whatever the schedule leaves open (latencies, sizes of batches) is drawn from its seed, each kind
from its own stream of random numbers, so that leaving out an action disturbs little else.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stream_rec.stream.changelog import PROFILES
from stream_rec.stream.engine_port import EngineFactory
from tests.simulation.broker import Broker
from tests.simulation.clock import VirtualLoop
from tests.simulation.disk import Disk
from tests.simulation.group import Group
from tests.simulation.process import Process
from tests.simulation.producer import Fate, Network, Producer
from tests.simulation.schedule import (
    DISK_KEPT,
    Crash,
    DiskFate,
    Freeze,
    Happening,
    LostCommit,
    Misfortune,
    Schedule,
)
from tests.simulation.users import draw_events
from tests.simulation.worker import Worker

LATENCY_MAX_S = 0.002
SLOW_EFFECTS = frozenset(
    {"acks", "commit", "read", "log end", "describe", "join", "write", "stand aside"}
)
RESTART_AFTER_S = 0.05
CRASH_DOWN_S = 0.1
COMPACTION_LAG_S = 2.0
"""Kafka's min.compaction.lag.ms: younger records are left alone."""
TOMBSTONES_KEPT_S = 0.5
"""Kafka's delete.retention.ms: so long a tombstone outlives the rows that it removes."""


@dataclass
class Machine:
    """Runs a worker again and again, until it is removed."""

    name: str
    disk: Disk = field(default_factory=Disk)
    worker: Worker | None = None
    n_starts: int = 0
    is_wanted: bool = True


class NoAnswerError(Exception):
    """Kafka may or may not have done what it was asked."""


class World:
    """Everything that a schedule runs in.

    Parameters
    ----------
    loop : VirtualLoop
    schedule : Schedule
    create_engine : EngineFactory
    """

    worker_class = Worker

    def __init__(self, loop: VirtualLoop, schedule: Schedule, create_engine: EngineFactory) -> None:
        self.loop = loop
        self.schedule = schedule
        self.create_engine = create_engine
        self.broker = Broker(schedule.n_partitions)
        self.group = Group(loop, schedule.n_partitions, self._profile_ends)
        self.machines = [Machine(f"w{number}") for number in range(schedule.n_workers)]
        self.workers: list[Worker] = []
        self.errors: list[tuple[str, BaseException]] = []
        self.n_effects = 0
        self.struck_at_s = 0.0
        self.n_events_to_come = 0
        self._n_fates = self._n_commits = 0
        self._rngs: dict[str, random.Random] = {}
        self._strikes: dict[tuple[int, bool], list[Crash | Freeze]] = defaultdict(list)
        self._misfortunes: dict[int, Misfortune] = {}
        self._lost_commits: dict[int, LostCommit] = {}
        self._network = Network(self._latency, self._records_sent, self._draw_fate, self._coin)

    def start(self) -> None:
        """Set everything going."""
        for action in self.schedule.actions:
            match action:
                case Crash() | Freeze():
                    self._strikes[action.at, action.after].append(action)
                case Misfortune():
                    self._misfortunes[action.n] = action
                case LostCommit():
                    self._lost_commits[action.n] = action
                case Happening():
                    self.loop.call_later(action.at_s, self._happen, action)
        self._produce_events()
        for machine in self.machines:
            self._start_worker(machine)

    def rng(self, purpose: str) -> random.Random:
        """Return the random numbers for a purpose."""
        if purpose not in self._rngs:
            self._rngs[purpose] = random.Random(f"{purpose} {self.schedule.seed}")
        return self._rngs[purpose]

    # What a worker asks for

    def batch_size(self) -> int:
        """Return how many records a fetch brings."""
        return self.rng("fetch").choice([1, 2, 3, 8])

    def commit_offsets(self, name: str, generation: int, offsets: Mapping[int, int]) -> bool:
        """Commit as a member of the group; some answers get lost, or the commits themselves.

        Raises
        ------
        NoAnswerError
            As Kafka's client does; only the group itself refuses a commit.
        """
        lost = self._lost_commits.pop(self._n_commits, None)
        self._n_commits += 1
        is_taken = (lost is None or lost.is_taken) and self.group.commit(name, generation, offsets)
        if lost is not None:
            raise NoAnswerError(f"commit of {dict(offsets)}")
        return is_taken

    def on_stopped(self, worker: Worker, error: BaseException | None) -> None:
        """Let a machine run the next process, if it is still wanted."""
        if error is not None:
            self.errors.append((worker.process.name, error))
        for machine in self.machines:
            if machine.worker is worker:
                machine.worker = None
                worker.process.kill()
                self.loop.call_later(RESTART_AFTER_S, self._start_worker, machine)

    # What strikes it

    def latency_s(self, effect: str) -> float:
        """Return how long an effect takes."""
        return self._latency() if effect in SLOW_EFFECTS else 0.0

    def strike(self, process: Process, effect: str, after: bool) -> None:
        """Kill or freeze the process that has the n-th effect, as the schedule says."""
        for action in self._strikes.pop((self.n_effects, after), ()):
            self.struck_at_s = self.loop.now_s
            if isinstance(action, Freeze):
                process.freeze(action.duration_s)
            else:
                self._crash(process, action.disk, action.down_s)
        if after:
            self.n_effects += 1

    def _crash(self, process: Process, disk: DiskFate, down_s: float) -> None:
        for machine in self.machines:
            if machine.worker is not None and machine.worker.process is process:
                machine.worker = None
                process.kill()
                self._harm(machine.disk, disk)
                self.loop.call_later(down_s, self._start_worker, machine)

    def _harm(self, disk: Disk, fate: DiskFate) -> None:
        rng = self.rng("disk")
        if fate == "lost":
            disk.lose_all()
        for store in disk.stores.values():
            if fate == "unsynced":
                store.lose(rng.randrange(4))
            elif fate == "old":
                store.lose(rng.randrange(len(store.batches) + 1))

    def _happen(self, action: Happening) -> None:
        amount = int(action.amount)
        match action.kind:
            case "compact":
                self.compact(action.amount)
            case "redeliver":
                for worker in self._running():
                    worker.fetcher.fetch_again(amount)
            case "add":
                self.machines.append(Machine(f"w{len(self.machines)}"))
                self._start_worker(self.machines[-1])
            case "remove":
                self._remove_worker()
            case "reset":
                self._reset_offsets(amount)
            case "forget":
                self._forget_group()

    def compact(self, share: float) -> None:
        """Compact the changelogs, up to a share of what is older than the lag."""
        for changelog in self.broker.changelogs.values():
            old = changelog.offset_at(self.loop.now_s - COMPACTION_LAG_S)
            older = changelog.offset_at(self.loop.now_s - COMPACTION_LAG_S - TOMBSTONES_KEPT_S)
            changelog.compact(int(old * share), min(older, int(old * share)))

    def _remove_worker(self) -> None:
        wanted = [machine for machine in self.machines if machine.is_wanted]
        if len(wanted) > 1:
            wanted[0].is_wanted = False
            if wanted[0].worker is not None:
                wanted[0].worker.stop()

    def _reset_offsets(self, amount: int) -> None:
        for partition, events in enumerate(self.broker.events):
            if amount > 1:
                self.group.offsets.pop(partition, None)
            else:
                self.group.offsets[partition] = len(events) * amount

    def _forget_group(self) -> None:
        for worker in self._running():
            self._crash(worker.process, "kept", 1.0)
        self.group.members.clear()
        self.group.forget()

    def _running(self) -> list[Worker]:
        return [machine.worker for machine in self.machines if machine.worker is not None]

    def _start_worker(self, machine: Machine) -> None:
        if not machine.is_wanted or machine.worker is not None:
            return
        machine.n_starts += 1
        process = Process(f"{machine.name}.{machine.n_starts}", machine.disk, self.loop, self)
        producer = Producer(process, self._network)
        machine.worker = self.worker_class(process, producer, self, self.schedule.commit_events_max)
        self.workers.append(machine.worker)
        machine.worker.start()

    # The rest of the world

    def _produce_events(self) -> None:
        events = draw_events(self.schedule.seed, self.schedule.n_events, self.schedule.n_partitions)
        self.n_events_to_come = len(events)
        for number, event in enumerate(events):
            at_s = self.schedule.events_for_s * number / len(events)
            if at_s:
                self.loop.call_later(at_s, self._append_event, event)
            else:
                self._append_event(event)

    def _append_event(self, event: Any) -> None:
        self.n_events_to_come -= 1
        self.broker.append_event(*event)

    def _profile_ends(self) -> dict[int, int]:
        changelogs = self.broker.changelogs
        return {p: changelogs[PROFILES, p].end for p in range(self.broker.n_partitions)}

    def _latency(self) -> float:
        return self.rng("latency").uniform(0.0001, LATENCY_MAX_S)

    def _records_sent(self) -> int:
        return self.rng("batch").choice([1, 2, 5, 50])

    def _coin(self) -> bool:
        return self.rng("death").random() < 0.5

    def _draw_fate(self, process: Process) -> Fate:
        misfortune = self._misfortunes.pop(self._n_fates, None)
        self._n_fates += 1
        if misfortune is None:
            return Fate()
        if misfortune.is_last:
            self.loop.call_later(0.0, self._crash, process, DISK_KEPT, CRASH_DOWN_S)
        if misfortune.kind == "late":
            return Fate(delay_s=misfortune.delay_s)
        return Fate(is_stored=misfortune.kind == "ambiguous", is_acknowledged=False)

    def end(self) -> None:
        """Stop every process where it is."""
        for worker in self.workers:
            worker.process.kill()
