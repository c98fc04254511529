"""A simulated worker: what stream_rec/stream/app.py wires under Faust, wired to a simulated world.

Membership, fetching and the timing of commits follow Faust: all partitions are given up before a
rebalance and taken after it, records that were fetched before the flow of events is resumed are
dropped, and offsets that may be committed are committed now and then on the side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from stream_rec.settings import TopicSettings
from stream_rec.stream.assignment import Assignment
from stream_rec.stream.batches import RecordBatch
from stream_rec.stream.changelog import PROFILES
from stream_rec.stream.commit_schedule import CommitSchedule
from stream_rec.stream.engine_port import EngineFactory
from stream_rec.stream.fence import FencedError
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.processor import Processor
from stream_rec.stream.stats import Stats
from tests.simulation.broker import Broker
from tests.simulation.effects import SimulatedEffects
from tests.simulation.group import HEARTBEAT_INTERVAL_S, Group
from tests.simulation.process import Process
from tests.simulation.producer import Producer

COMMIT_INTERVAL_S = 0.12
SIDE_COMMIT_INTERVAL_S = 0.17
FETCH_INTERVAL_S = 0.004
IDLE_FETCH_INTERVAL_S = 0.032
GIVE_UP_TIMEOUT_S = 0.24
MESSAGE_RECORDS_MAX = 6
ROWS_PER_PART = 3
STARTED_AT_S = 1_700_100_000.0


class Surroundings(Protocol):
    """What a worker needs of its world beside the port."""

    broker: Broker
    group: Group
    create_engine: EngineFactory

    def batch_size(self) -> int:
        """Return how many records the next fetch brings."""

    def commit_offsets(self, name: str, generation: int, offsets: Mapping[int, int]) -> bool:
        """Commit offsets as a member of the group; say whether they were taken, if it is known."""

    def on_stopped(self, worker: Worker, error: BaseException | None) -> None:
        """Learn that a worker has stopped by itself."""


class Fetcher:
    """The consumer's side of a worker: positions, and messages on their way to the processor."""

    def __init__(self, broker: Broker, batch_size: Callable[[], int]) -> None:
        self._broker = broker
        self._batch_size = batch_size
        self.committed: Mapping[int, int | None] = {}
        self.positions: dict[int, int] = {}
        self.queue: deque[list[RecordBatch]] = deque()
        self.changed = asyncio.Event()

    def assign(self, committed: Mapping[int, int | None]) -> None:
        """Begin where the group has committed, else at the beginning."""
        self.committed = committed
        self.positions = {partition: offset or 0 for partition, offset in committed.items()}

    def fetch(self) -> bool:
        """Fetch one message of what has come, if there is room; say whether anything came."""
        if self.queue:
            return False
        batches, room = [], MESSAGE_RECORDS_MAX
        for partition, position in self.positions.items():
            events = self._broker.events[partition]
            if position < len(events) and room:
                records = events[position : position + min(self._batch_size(), room)]
                batches.append(RecordBatch(records, position))
                self.positions[partition] = position + len(records)
                room -= len(records)
        if batches:
            self.queue.append(batches)
            self.changed.set()
        return bool(batches)

    def drop_fetched(self) -> None:
        """Forget what is on its way, as Faust does before the flow is resumed."""
        self.queue.clear()
        self.changed.set()

    def seek(self, positions: Mapping[int, int]) -> None:
        """Fetch next from these offsets."""
        self.positions |= {p: at for p, at in positions.items() if p in self.positions}

    def fetch_again(self, n_records: int) -> None:
        """Have the last records of each partition delivered a second time."""
        self.positions = {p: max(0, at - n_records) for p, at in self.positions.items()}


class Worker:
    """One process of the program.

    Parameters
    ----------
    process, producer, world
        What it runs in.
    commit_events_max : int
        Commit after that many events.
    """

    def __init__(
        self, process: Process, producer: Producer, world: Surroundings, commit_events_max: int
    ) -> None:
        self.process = process
        self.producer = producer
        self._world = world
        self._generation = 0
        self._stopping = False
        self._flows = False
        self.n_users_most = self.n_dirty_most = 0
        loop = process.loop
        self.effects = SimulatedEffects(
            process, world.broker, producer, self._commit_offsets, loop.time
        )
        profiles = FrozenProfiles(self._read_profiles)
        self.engine = world.create_engine(world.broker.n_partitions, profiles.read)
        stats = Stats(lambda: STARTED_AT_S + loop.time())
        self._schedule = CommitSchedule(COMMIT_INTERVAL_S, commit_events_max)
        self.processor = Processor(
            self.engine,
            profiles,
            self.effects,
            TopicSettings(),
            stats,
            self._schedule,
            rows_per_part=ROWS_PER_PART,
        )
        self.assignment = Assignment(self.engine, self.processor, self.effects, stats)
        self.fetcher = Fetcher(world.broker, world.batch_size)

    def start(self) -> None:
        """Begin to run."""
        for task in (
            self._be_member(),
            self._fetch(),
            self._process(),
            self._commit_regularly(),
            self._commit_on_the_side(),
        ):
            self.process.spawn(task)

    def fail(self, error: BaseException) -> None:
        """Stop with an error, as the application does: nothing more is committed."""
        if not self._stopping:
            self._stopping = True
            self.process.spawn(self._stop(error))

    def stop(self) -> None:
        """Stop in good order."""
        if not self._stopping:
            self._stopping = True
            self.process.spawn(self._stop(None))

    async def _stop(self, error: BaseException | None) -> None:
        self._flows = False
        try:
            await self.assignment.give_up(GIVE_UP_TIMEOUT_S, commit=error is None)
        except Exception as last_error:
            error = error or last_error
        await self.process.wait_awake()
        self.producer.purge()
        self._world.group.leave(self.process.name)
        self._world.on_stopped(self, error)

    async def _be_member(self) -> None:
        group, name = self._world.group, self.process.name
        while not self._stopping:
            await self.process.step("join")
            self._generation, partitions = await group.join(name)
            await self.process.wait_awake()
            self.fetcher.assign({p: group.offsets.get(p) for p in partitions})
            self.process.spawn(self._take(partitions, self._generation))
            while await self._is_in_generation():
                pass
            self._flows = False
            if self._stopping:
                return
            await self._revoke()

    async def _is_in_generation(self) -> bool:
        await self.process.loop.pass_time(HEARTBEAT_INTERVAL_S)
        await self.process.wait_awake()
        return not self._stopping and self._world.group.heartbeat(
            self.process.name, self._generation
        )

    async def _revoke(self) -> None:
        try:
            await self.assignment.give_up(GIVE_UP_TIMEOUT_S)
        except Exception as error:
            self.fail(error)

    async def _take(self, partitions: list[int], generation: int) -> None:
        try:
            taken = await self.assignment.take(partitions, generation)
        except FencedError:
            return  # until the next rebalance
        except Exception as error:
            self.fail(error)
            return
        if not taken or generation != self._generation or self._stopping:
            return
        self.resume()

    def resume(self) -> None:
        """Let events flow, from where the recovered state ends."""
        self.fetcher.seek(self.assignment.start_offsets())
        self.fetcher.drop_fetched()
        self._flows = True

    async def _fetch(self) -> None:
        interval_s = FETCH_INTERVAL_S
        while not self._stopping:
            await self.process.loop.pass_time(interval_s)
            await self.process.wait_awake()
            is_busy = self.fetcher.fetch() or self.fetcher.queue
            interval_s = FETCH_INTERVAL_S if is_busy else IDLE_FETCH_INTERVAL_S

    async def _process(self) -> None:
        while not self._stopping:
            if not self._flows or not self.fetcher.queue:
                self.fetcher.changed.clear()
                await self.fetcher.changed.wait()
                await self.process.wait_awake()
                continue
            try:
                lost = await self.processor.process(self.fetcher.queue.popleft())
            except Exception as error:
                self.fail(error)
                return
            self.fetcher.seek(lost)
            self._note_sizes()

    def _note_sizes(self) -> None:
        n_dirty = sum(map(self.processor.n_dirty, self.processor.next_offsets))
        self.n_dirty_most = max(self.n_dirty_most, n_dirty)
        self.n_users_most = max(self.n_users_most, len(self.engine.users))

    async def _commit_regularly(self) -> None:
        while not self._stopping:
            await self._schedule.wait()
            try:
                await self.assignment.commit()
            except Exception as error:
                self.fail(error)
                return

    async def _commit_on_the_side(self) -> None:
        """Commit as Faust does by itself, every now and then."""
        while not self._stopping:
            await self.process.loop.pass_time(SIDE_COMMIT_INTERVAL_S)
            offsets = self.offsets_to_commit()
            if offsets:
                try:
                    await self.effects.commit(offsets)
                except Exception as error:
                    self.fail(error)
                    return

    def offsets_to_commit(self) -> Mapping[int, int]:
        """Return what Faust may commit."""
        return self.assignment.committable_offsets()

    def _read_profiles(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return self.effects.read_now(PROFILES, partition, keys)

    def _commit_offsets(self, offsets: Mapping[int, int]) -> bool:
        return self._world.commit_offsets(self.process.name, self._generation, offsets)
