"""Every history of a small world: two workers, two partitions, up to two crashes and a zombie.

Histories branch at every change that a worker makes to the world: a record stored, a batch written,
an offset committed. There it may die, and its successor runs on the same disk, on the other one or
on an empty one; the last two find compacted changelogs. Or it may be left standing: then its
successor starts, and at each change of that one the zombie may go on, for any number of its own
changes. After that the successor may die at each of its changes, and so on. What remains runs to
the end undisturbed, and is checked. Histories that meet in the same world go on as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from stream_rec.settings import TopicSettings
from tests.simulation.broker import Broker
from tests.simulation.disk import Disk
from tests.simulation.durability import check_prefix, engine_rows, restore
from tests.simulation.effects import Opened
from tests.simulation.reference import Reference, fold, source_of
from tests.simulation.small_world import SmallWorker, SmallWorld
from tests.stream.fake_engine import FakeEngine

N_PARTITIONS = 2
N_CRASHES_MAX = 2
EVENTS_PER_COMMIT = 1
LISTS = TopicSettings().recommendations
FIRST, SECOND = "first", "second"
OTHER = {FIRST: SECOND, SECOND: FIRST}

SuccessorDisk = Literal["same", "other", "empty"]
SUCCESSOR_DISKS: tuple[SuccessorDisk, ...] = ("same", "other", "empty")


def create_log(n_events: int) -> Broker:
    """Create a broker whose log has two users and two items in turns, in both partitions."""
    broker = Broker(N_PARTITIONS)
    for number in range(n_events):
        partition, turn = number % N_PARTITIONS, number // N_PARTITIONS
        user, item = f"u{partition}{turn // 2}", f"i{turn % 2}"
        value = json.dumps({"user": user, "item": item}).encode()
        broker.append_event(partition, user.encode(), value, number)
    return broker


@dataclass
class Histories:
    """Runs them and collects what is wrong.

    Parameters
    ----------
    n_events : int
        Of the log.
    n_crashes_max : int
        In one history.

    Attributes
    ----------
    n_ended : int
        Histories that came to their end.
    wrong : list of str
        Each with the history that led to it.
    """

    n_events: int
    n_crashes_max: int = N_CRASHES_MAX
    n_ended: int = 0
    wrong: list[str] = field(default_factory=list)
    _seen: set[tuple[int, str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._broker = create_log(self.n_events)
        self._reference = fold(self._broker.events, FakeEngine)

    def run_crashes(self) -> None:
        """Run every history without a zombie."""
        self._run(self._create_world(), FIRST, self.n_crashes_max, "")

    def run_zombies(self) -> None:
        """Run every history in which the first worker becomes a zombie."""
        n_turns = self._start(self._create_world(), FIRST).take_turns()
        for stops_at in range(n_turns):
            for wakes_at in count():
                if not self._run_zombie(stops_at, wakes_at):
                    break

    def _run(self, world: SmallWorld, disk: str, n_crashes: int, story: str) -> None:
        """Run a worker to its end, and what follows if it dies at any of its turns."""
        key = (world.fingerprint(), disk, n_crashes)
        if key not in self._seen:
            self._seen.add(key)
            self._finish(world, self._start(world, disk), n_crashes, story)

    def _finish(self, world: SmallWorld, worker: SmallWorker, n_crashes: int, story: str) -> None:
        while worker.take_turn():
            if n_crashes:
                self._crash(world, worker, n_crashes - 1, f"{story} dies at {worker.n_turns},")
        self.n_ended += 1
        self.wrong += [f"{story}: {one}" for one in check(world, worker, self._reference)]

    def _crash(self, world: SmallWorld, worker: SmallWorker, n_left: int, story: str) -> None:
        for disk in SUCCESSOR_DISKS:
            left = world.copy()
            place = worker.name if disk == "same" else OTHER[worker.name]
            if disk == "empty":
                left.disks[place] = Disk()
            if disk != "same":
                left.compact()
            self._run(left, place, n_left, f"{story} {disk} disk")

    def _run_zombie(self, stops_at: int, wakes_at: int) -> bool:
        """Let a zombie go on for 1, 2, … turns; say whether its successor still ran then."""
        for goes_for in count(1):
            world = self._create_world()
            zombie = self._start(world, FIRST)
            zombie.take_turns(stops_at + 1)
            owner = self._start(world, SECOND)
            is_running = owner.take_turns(wakes_at) == wakes_at
            n_gone = zombie.take_turns(goes_for)
            if not is_running:
                owner.look_around()
            story = f"stands at {stops_at}, wakes at {wakes_at} for {goes_for},"
            self._finish(world, owner, self.n_crashes_max, story)
            zombie.end()
            if n_gone < goes_for:
                return is_running
        raise AssertionError("a zombie goes on for ever")

    def _create_world(self) -> SmallWorld:
        return SmallWorld(self._broker).copy()

    def _start(self, world: SmallWorld, disk: str) -> SmallWorker:
        return SmallWorker(world, disk, range(N_PARTITIONS), EVENTS_PER_COMMIT)


def check(world: SmallWorld, worker: SmallWorker, reference: Reference) -> Iterator[str]:
    """Return everything that is wrong with a world at its end, and with its last worker."""
    if worker.error is not None:
        yield f"the last worker stops with {worker.error!r}"
        return
    yield from world.wrong
    for where, expected in reference.rows.items():
        changelog = world.broker.changelogs[where]
        if engine_rows(restore(changelog.records)) != expected:
            yield f"{where}: the changelog is not the fold"
        if engine_rows(restore(changelog.compacted(changelog.end))) != expected:
            yield f"{where}: the compacted changelog is not the fold"
        if world.disks[worker.name].store(where).engine_rows != expected:
            yield f"{where}: the store is not the fold"
    for name, disk in world.disks.items():
        for where, store in disk.stores.items():
            changelog = world.broker.changelogs[where]
            yield from check_prefix(name, Opened(where, store.rows, changelog.end), changelog)
    for partition, events in enumerate(world.broker.events):
        if world.durable_offset(partition) != len(events) - 1:
            yield f"partition {partition}: watermark {world.durable_offset(partition)}"
        if world.committed.get(partition) != len(events):
            yield f"partition {partition}: committed {world.committed.get(partition)}"
    listed = [source_of(message.value or b"") for message in world.broker.topics[LISTS]]
    if set(listed) != reference.listed:
        yield f"lists for {sorted(set(listed))}, expected {sorted(reference.listed)}"
