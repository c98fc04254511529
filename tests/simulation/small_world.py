"""A world small enough to enumerate: no clock, no network, every step taken by hand.

A `Turn` is a point between two changes of the world. A worker runs from turn to turn; at each, the
world can be copied (this is what a crash leaves), and the worker can be left standing (a zombie).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import takewhile

from stream_rec.errors import StreamRecError
from stream_rec.settings import TopicSettings
from stream_rec.stream.batches import RecordBatch
from stream_rec.stream.changelog import ITEMS, PROFILES, TABLES, WATERMARK_KEY, Watermark
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.commit_schedule import CommitSchedule
from stream_rec.stream.effects import Acked
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.processor import Processor
from stream_rec.stream.recovery import recover
from stream_rec.stream.stats import Stats
from tests.simulation.broker import Broker, Where
from tests.simulation.disk import Disk
from tests.simulation.durability import check_prefix, restore
from tests.simulation.effects import Opened, SimulatedEffects
from tests.stream.fake_engine import FakeEngine

CHANGES = frozenset({"store", "publish list", "write", "commit"})
"""Effects that change the world; between others a crash makes no difference."""
LOOKS = frozenset({"read", "log end"})
"""Effects that see what others have stored in changelogs."""
TURNS_MAX = 10_000


class Turn:
    """Gives the control to whoever drives the coroutine."""

    def __await__(self) -> Generator[Turn, None, None]:
        yield self


class SmallWorld:
    """Broker, disks and group, copied as a whole.

    Parameters
    ----------
    broker : Broker
        With its events.
    """

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.disks: dict[str, Disk] = {}
        self.committed: dict[int, int] = {}
        self.generation = 0
        self.wrong: list[str] = []
        self._young: dict[Where, int] = {}

    def copy(self) -> SmallWorld:
        """Return what is left if all processes die now."""
        other = SmallWorld(Broker(self.broker.n_partitions))
        other.become(self)
        return other

    def become(self, other: SmallWorld) -> None:
        """Stand as another world does; processes of this one go on in it without noticing."""
        self.broker.events = other.broker.events
        for name, messages in other.broker.topics.items():
            self.broker.topics[name] = list(messages)
        for where, changelog in other.broker.changelogs.items():
            twin = self.broker.changelogs[where]
            twin.records, twin.ever = list(changelog.records), list(changelog.ever)
        for name, disk in other.disks.items():
            self.disks.setdefault(name, Disk()).become(disk)
        self.committed = dict(other.committed)
        self.generation = other.generation
        self.wrong = list(other.wrong)
        self._young = dict(other._young)

    def compact(self) -> None:
        """Compact all changelogs, but for what is too young."""
        for where, changelog in self.broker.changelogs.items():
            changelog.compact(self._young.get(where, changelog.end))

    def keep_from_now(self) -> None:
        """Call younger than ``topics.min_compaction_lag_ms`` what is stored from now on.

        A zombie's records would replace others before an owner has overruled them.
        """
        self._young = {where: changelog.end for where, changelog in self.broker.changelogs.items()}

    def retire(self, name: str) -> None:
        """Check a disk, which will never be used again, and throw it away."""
        self.wrong += check_disk(self, name)
        self.disks.pop(name, None)

    def fingerprint(self) -> int:
        """Return a number that is the same for worlds in which everything stands the same."""
        logs = tuple(
            (where, tuple(log.records)) for where, log in sorted(self.broker.changelogs.items())
        )
        disks = tuple((name, disk.fingerprint()) for name, disk in sorted(self.disks.items()))
        lists = tuple(
            (topic, frozenset((message.key, message.value) for message in messages))
            for topic, messages in sorted(self.broker.topics.items())
        )
        committed = tuple(sorted(self.committed.items()))
        young = tuple(sorted(self._young.items()))
        return hash((logs, disks, lists, committed, self.generation, tuple(self.wrong), young))

    def durable_offset(self, partition: int) -> int:
        """Return the watermark that a worker with an empty disk would find."""
        value = restore(self.broker.changelogs[PROFILES, partition].records).get(WATERMARK_KEY)
        return -1 if value is None else Watermark.decode(value).offset


def check_disk(world: SmallWorld, name: str) -> Iterator[str]:
    """Each store of a disk is a prefix of its changelog."""
    disk = world.disks.get(name, Disk())
    for where, store in disk.stores.items():
        changelog = world.broker.changelogs[where]
        yield from check_prefix(name, Opened(where, store.rows, changelog.end), changelog)


class StepByStep:
    """A process whose steps are taken by hand."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.name = name
        self.disk = disk
        self.is_dead = False
        self.next_change = self.last_change = ""
        self.has_looked = True

    async def step(self, effect: str, after: bool = False) -> None:
        """Stop before each change of the world."""
        if effect in CHANGES and not after:
            self.last_change, self.next_change = self.next_change, effect
            await Turn()
            self.has_looked = False
        self.has_looked |= effect in LOOKS


class InOrder:
    """A producer whose records arrive one by one, in the order of their handing over."""

    def __init__(self, process: StepByStep) -> None:
        self._process = process
        self._queue: list[tuple[Where, Callable[[], int]]] = []

    async def hand_over(self, where: Where, append: Callable[[], int]) -> None:
        """Take a record."""
        self._queue.append((where, append))

    async def wait_for_acks(self) -> dict[Where, Acked]:
        """Store all records, a turn before each."""
        acked: dict[Where, Acked] = {}
        queue, self._queue = self._queue, []
        for where, append in queue:
            await self._process.step("store" if where[0] in TABLES else "publish list")
            offset = append()
            before = acked.get(where, Acked(offset, offset, 0))
            acked[where] = Acked(before.first, offset, before.n_records + 1)
        return acked


class SmallWorker:
    """Recovers partitions, processes what is left of their events, commits after every few.

    Parameters
    ----------
    world : SmallWorld
    name : str
        Of the worker and its disk.
    partitions : Sequence[int]
        That it owns from now on.
    events_per_commit : int
        Of each partition.
    joins : bool
        Whether it makes the group move on; else it is in the same generation as another.
    """

    def __init__(
        self,
        world: SmallWorld,
        name: str,
        partitions: Sequence[int],
        events_per_commit: int,
        joins: bool = True,
    ) -> None:
        world.generation += joins
        self.world = world
        self.name = name
        self.n_turns = 0
        self.error: StreamRecError | None = None
        self._generation = world.generation
        self._partitions = partitions
        self._events_per_commit = events_per_commit
        process = self.process = StepByStep(name, world.disks.setdefault(name, Disk()))
        self._effects = SimulatedEffects(
            process, world.broker, InOrder(process), self._commit_offsets, lambda: 0.0
        )
        profiles = FrozenProfiles(lambda p, keys: self._effects.read_now(PROFILES, p, keys))
        self._engine = FakeEngine(world.broker.n_partitions, profiles.read)
        self._processor = Processor(
            self._engine,
            profiles,
            self._effects,
            TopicSettings(),
            Stats(lambda: 0.0),
            CommitSchedule(1.0, 1_000),
        )
        self._cycle = CommitCycle(self._effects)
        self.is_over = False
        self._is_recovered = self._is_revoked = False
        self._running = self._run()

    def take_turn(self) -> bool:
        """Run up to the next change of the world; say whether there is one."""
        if self.is_over:
            return False
        try:
            self._running.send(None)
        except StopIteration:
            self.is_over = True
        except StreamRecError as error:
            self.is_over, self.error = True, error
        self.n_turns += not self.is_over
        return not self.is_over

    def take_turns(self, n_turns_max: int = TURNS_MAX) -> int:
        """Take several turns, at most all that there are; return how many."""
        return sum(1 for _ in takewhile(bool, (self.take_turn() for _ in range(n_turns_max))))

    def look_around(self) -> None:
        """Commit once more, with nothing new, as an idle worker does."""
        self._running = self._commit()
        self.is_over = False

    def give_up(self) -> None:
        """Give all partitions up: commit what is processed, or break the recovery off."""
        self._is_revoked = True
        if self._is_recovered:
            self.take_turns()
        self.end()

    def end(self) -> None:
        """Die."""
        self._running.close()
        self.is_over = True

    async def _run(self) -> None:
        """Do all that there is to do, and look around once more, as an idle worker does."""
        source = await self._effects.source()
        positions = {
            (table, partition): self._effects.open_store(table, partition)
            for partition in self._partitions
            for table in TABLES
        }
        for recovered in await recover(
            self._effects, source, self._partitions, self._generation, positions
        ):
            partition = recovered.owned.partition
            rows = self._effects.scan_rows(ITEMS, partition)
            self._engine.open_partition(partition, rows, recovered.owned.watermark.offset)
            self._cycle.take(recovered.owned)
            self._processor.open(partition, recovered.start_offset)
        self._is_recovered = True
        while not self._is_revoked and await self._process():
            await self._commit()
        await Turn()
        await self._commit()

    async def _commit(self) -> None:
        await self._cycle.commit(self._partitions, self._processor.freeze)

    async def _process(self) -> bool:
        batches = []
        for partition, start in self._processor.next_offsets.items():
            records = self.world.broker.events[partition][start : start + self._events_per_commit]
            if records:
                batches.append(RecordBatch(records, start))
        await self._processor.process(batches)
        return bool(batches)

    def _commit_offsets(self, offsets: Mapping[int, int]) -> bool:
        if self._generation != self.world.generation:
            return False
        for partition, offset in offsets.items():
            durable = self.world.durable_offset(partition)
            if offset > durable + 1:
                self.world.wrong.append(
                    f"commits {offset} of partition {partition}, durable {durable}"
                )
        self.world.committed |= offsets
        return True
