"""Every history of a small world: two workers, two partitions, up to two crashes and a zombie.

Histories branch at every change that a worker makes to the world: a record stored, a batch written,
an offset committed. There it may die, and its successor runs on the same disk, on the other one or
on an empty one; the last two find compacted changelogs (but for what is stored once a zombie has
woken: Kafka leaves alone what is younger than ``topics.min_compaction_lag_ms``). Or it may be left
standing: then its successor starts on the other disk, and at each change of that one, or of whoever
follows it when it dies, the zombie may go on, for any number of its own changes; then it dies. What
remains runs to the end undisturbed, and is checked.

A history begins with one worker that owns both partitions, or with two that own one each. What two
do to their own partitions does not depend on the order (a test holds it), so only how far each has
come is enumerated when the first dies or is left standing. The second then gives its partition up
and takes both, or dies as well.

Histories that meet go on as one: in the same world, before a worker with the same past. Left out is
what commutes: a zombie that wakes after a change of its successor which it does not touch, and
behind which the successor has not looked at a changelog; one that stands before it writes to the
disk that is its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from tests.simulation.reference import fold
from tests.simulation.small_check import check
from tests.simulation.small_logs import CLICKS, FORGETS, LOGS
from tests.simulation.small_world import SmallWorker, SmallWorld
from tests.stream.fake_engine import FakeEngine

SMALL = ((CLICKS, 4, 2, 0), (CLICKS, 2, 0, 1), (FORGETS, 6, 2, 0), (FORGETS, 6, 0, 1))
"""Logs, events, crashes and zombies of the worlds that `make test` enumerates."""
LARGE = ((CLICKS, 6, 2, 0), (CLICKS, 3, 0, 1), (CLICKS, 1, 1, 1), (FORGETS, 6, 1, 1))
"""Those of ``python -m tests.simulation --exhaustive``; they take many minutes."""
FIRST, SECOND = "first", "second"
OTHER = {FIRST: SECOND, SECOND: FIRST}


class Past(NamedTuple):
    """Where a worker started and how far it has come: enough to have it once more."""

    world: SmallWorld
    name: str
    partitions: tuple[int, ...]
    events_per_commit: int
    n_turns: int = 0

    def key(self) -> int:
        """Return a number that is the same for workers that have lived through the same."""
        return hash((self.world.fingerprint(), *self[1:]))

    def relive(self, world: SmallWorld) -> SmallWorker:
        """Run it once more, in a world that stands as its own did."""
        worker = SmallWorker(world, self.name, self.partitions, self.events_per_commit)
        worker.take_turns(self.n_turns)
        return worker

    def relive_asleep(self, successor: Past) -> tuple[SmallWorld, SmallWorker]:
        """Run it once more, and leave it standing while the world moves on to its successor."""
        world = self.world.copy()
        worker = self.relive(world)
        world.become(successor.world)
        return world, worker


class Strikes(NamedTuple):
    """What may still happen, and the zombie that stands around."""

    n_crashes: int
    n_zombies: int
    zombie: Past | None = None

    def key(self) -> tuple[int, ...]:
        """Return what tells them apart."""
        return self.n_crashes, self.n_zombies, self.zombie.key() if self.zombie else 0


LAST = Strikes(n_crashes=0, n_zombies=0)
"""Nothing may happen any more."""


def is_affected(worker: SmallWorker) -> bool:
    """Say whether a zombie that wakes now may change more than if it had woken a turn earlier."""
    process = worker.process
    return process.has_looked or process.last_change == "store"


@dataclass
class Histories:
    """Runs them and collects what is wrong.

    Parameters
    ----------
    log : str
        `CLICKS` or `FORGETS`; with one partition there is nothing to share.
    n_events : int
    n_crashes_max, n_zombies_max : int
        In one history; of zombies 0 or 1.

    Attributes
    ----------
    n_ended : int
        Histories that came to their end.
    wrong : list of str
        Each with the history that led to it.
    """

    log: str
    n_events: int
    n_crashes_max: int
    n_zombies_max: int
    n_ended: int = 0
    wrong: list[str] = field(default_factory=list)
    _seen: set[tuple[int | str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._broker, self._events_per_commit = LOGS[self.log](self.n_events)
        self._reference = fold(self._broker.events, FakeEngine)
        self._strikes = Strikes(self.n_crashes_max, self.n_zombies_max)

    def run(self) -> None:
        """Run all histories."""
        self.run_alone()
        if self._broker.n_partitions > 1:
            self.run_shared()

    def run_alone(self) -> None:
        """Run every history that begins with one worker."""
        self._run(self.create_world(), FIRST, self._strikes, "")

    def run_shared(self) -> None:
        """Run every history that begins with two workers."""
        for stops_at in count(1):
            world = self.create_world()
            first, second = self.start_two(world)
            is_over = first.take_turns(stops_at) < stops_at
            self._run_second(world, first, second)
            if is_over:
                return

    def create_world(self) -> SmallWorld:
        """Create a world with the log."""
        return SmallWorld(self._broker).copy()

    def start_two(self, world: SmallWorld) -> tuple[SmallWorker, SmallWorker]:
        """Start two workers that share the partitions."""
        first = SmallWorker(world, FIRST, (0,), self._events_per_commit)
        return first, SmallWorker(world, SECOND, (1,), self._events_per_commit, joins=False)

    def _run(self, world: SmallWorld, name: str, strikes: Strikes, story: str) -> None:
        """Run a worker to its end, and what follows if it is struck at any of its turns."""
        key = (world.fingerprint(), name, *strikes.key())
        if key not in self._seen:
            self._seen.add(key)
            past = self._begin(world.copy(), name, tuple(range(self._broker.n_partitions)))
            self._go_on(world, past, past.relive(world), strikes, story)

    def _begin(self, world: SmallWorld, name: str, partitions: tuple[int, ...]) -> Past:
        return Past(world, name, partitions, self._events_per_commit)

    def _go_on(
        self, world: SmallWorld, past: Past, worker: SmallWorker, strikes: Strikes, story: str
    ) -> None:
        if strikes.zombie:
            self._wake(past, strikes, story)
        while worker.take_turn():
            past = past._replace(n_turns=worker.n_turns)
            at = f"{story} {worker.name}@{worker.n_turns}"
            if strikes.zombie and is_affected(worker):
                self._wake(past, strikes, at)
            if strikes.n_crashes:
                self._crash(world, worker.name, strikes, f"{at} dies,")
            if strikes.n_zombies and worker.process.next_change != "write":
                left = strikes._replace(n_zombies=0, zombie=past)
                self._run(world.copy(), OTHER[worker.name], left, f"{at} stands,")
        if strikes.zombie:
            self._wake(past._replace(n_turns=worker.n_turns + 1), strikes, f"{story} idle,")
        self.n_ended += 1
        self.wrong += [f"{story}: {one}" for one in check(world, worker, self._reference)]

    def _crash(self, world: SmallWorld, name: str, strikes: Strikes, story: str) -> None:
        """Let a successor follow, on each disk that no zombie holds."""
        left = strikes._replace(n_crashes=strikes.n_crashes - 1)
        compacted = world.copy()
        compacted.compact()
        self._follow(world.copy(), name, left, f"{story} same disk")
        if not strikes.zombie:
            self._follow(compacted.copy(), OTHER[name], left, f"{story} other disk")
        compacted.retire(name)
        self._follow(compacted, name, left, f"{story} empty disk")

    def _follow(self, world: SmallWorld, name: str, strikes: Strikes, story: str) -> None:
        """Run a successor, in a world without a disk that nobody will use again."""
        if strikes == LAST:
            world.retire(OTHER[name])
        self._run(world, name, strikes, story)

    def _wake(self, owner: Past, strikes: Strikes, story: str) -> None:
        """Let the zombie go on for 1, 2, … turns while the owner is at one of its own."""
        assert strikes.zombie is not None
        left = strikes._replace(zombie=None)
        owner_key = owner.key()
        for goes_for in count(1):
            world, zombie = strikes.zombie.relive_asleep(owner)
            worker = owner.relive(world)
            if left.n_crashes:
                world.keep_from_now()
            is_last = zombie.take_turns(goes_for) < goes_for
            zombie.end()
            if worker.is_over:
                worker.look_around()
            if left == LAST:
                world.retire(zombie.name)
            key = (owner_key, world.fingerprint(), *left.key())
            if key not in self._seen:
                self._seen.add(key)
                self._go_on(world, owner, worker, left, f"{story} zombie wakes for {goes_for},")
            worker.end()
            if is_last:
                return

    def _run_second(self, world: SmallWorld, first: SmallWorker, second: SmallWorker) -> None:
        """Strike the first where it is, with the second at any of its turns."""
        past = self._begin(self.create_world(), FIRST, (0,))._replace(n_turns=first.n_turns)
        n_crashes, n_zombies, _ = self._strikes
        dies = self._strikes._replace(n_crashes=n_crashes - 1)
        stands = self._strikes._replace(n_zombies=0, zombie=past)
        is_running = True
        while is_running:
            is_running = second.take_turn()
            story = f" {FIRST}@{first.n_turns}, {SECOND}@{second.n_turns}, {FIRST}"
            given_up = self._give_up(first.n_turns, second.n_turns)
            if n_crashes:
                self._run(given_up.copy(), SECOND, dies, f"{story} dies,")
            if n_crashes > 1:
                self._crash(world, SECOND, dies, f"{story} and {SECOND} die,")
            if n_zombies:
                self._run(given_up.copy(), SECOND, stands, f"{story} stands,")
            if n_zombies and n_crashes:
                self._crash(world, SECOND, stands, f"{story} stands, {SECOND} dies,")

    def _give_up(self, first_at: int, second_at: int) -> SmallWorld:
        """Return the world after the second has given its partition up."""
        world = self.create_world()
        first, second = self.start_two(world)
        first.take_turns(first_at)
        second.take_turns(second_at)
        second.give_up()
        first.end()
        return world
