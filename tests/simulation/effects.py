"""One process's view of the simulated world: the port of production code."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from stream_rec.stream.changelog import TABLES, Headers, Position, Watermark
from stream_rec.stream.effects import Acked, LogRecord, Row, Source
from stream_rec.stream.stores import in_parts
from tests.simulation.broker import Broker, Message, Where
from tests.simulation.disk import Disk, closing_rows

ROWS_PER_BATCH = 3
"""Rows of a write that are sure to arrive together."""
RECORDS_PER_READ = 4


class Steps(Protocol):
    """Whoever decides what happens before and after an effect."""

    name: str
    disk: Disk
    is_dead: bool

    async def step(self, effect: str, after: bool = False) -> None:
        """Pass by one side of an effect."""


class Sender(Protocol):
    """A producer."""

    async def hand_over(self, where: Where, append: Callable[[], int]) -> None:
        """Take a record."""

    async def wait_for_acks(self) -> dict[Where, Acked]:
        """Wait for all that was handed over."""


class Opened(NamedTuple):
    """What a store held when it was opened, and where its changelog ended then."""

    where: Where
    rows: dict[bytes, bytes]
    log_end: int


CommitOffsets = Callable[[Mapping[int, int]], bool]


class SimulatedEffects:
    """`stream_rec.stream.effects.Effects` over the simulated world.

    Parameters
    ----------
    process : Steps
    broker : Broker
    producer : Sender
    commit_offsets : Callable[[Mapping[int, int]], bool]
        As a member of the group.
    now_s : Callable[[], float]
        Virtual time.
    """

    def __init__(
        self,
        process: Steps,
        broker: Broker,
        producer: Sender,
        commit_offsets: CommitOffsets,
        now_s: Callable[[], float],
    ) -> None:
        self._process = process
        self._broker = broker
        self._producer = producer
        self._commit_offsets = commit_offsets
        self._now_s = now_s
        self._disk = process.disk
        self.opened: list[Opened] = []

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        message = Message(key, value, headers, self._process.name)
        await self._process.step("publish")
        await self._producer.hand_over((topic, 0), partial(self._store_message, topic, message))
        await self._process.step("publish", after=True)

    async def produce(self, table: str, partition: int, row: Row, epoch: int) -> None:
        where = table, partition
        await self._process.step("produce")
        await self._producer.hand_over(where, partial(self._store_row, where, row, epoch))
        await self._process.step("produce", after=True)

    async def stand_aside(self) -> None:
        await self._process.step("stand aside")

    async def wait_for_acks(self) -> Mapping[Where, Acked]:
        await self._process.step("acks")
        acked = await self._producer.wait_for_acks()
        await self._process.step("acks", after=True)
        return {where: one for where, one in acked.items() if where[0] in TABLES}

    async def write_batch(
        self,
        table: str,
        partition: int,
        rows: Sequence[Row],
        position: Position,
        watermark: Watermark | None,
    ) -> None:
        *parts, last = in_parts(rows, ROWS_PER_BATCH)
        for part in [*parts, [*last, *closing_rows(position, watermark)]]:
            await self._process.step("write")
            self._disk.store((table, partition)).write(part)
            await self._process.step("write", after=True)

    async def commit(self, offsets: Mapping[int, int]) -> bool:
        await self._process.step("commit")
        is_taken = self._commit_offsets(offsets)
        await self._process.step("commit", after=True)
        return is_taken

    async def read_log(
        self, table: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[Sequence[LogRecord], None]:
        while start < end:
            await self._process.step("read")
            records = self._broker.changelogs[table, partition].read(start, end)
            if not records:
                return
            yield records[:RECORDS_PER_READ]
            start = records[:RECORDS_PER_READ][-1].offset + 1

    async def log_end(self, table: str, partition: int) -> int:
        await self._process.step("log end")
        return self._broker.changelogs[table, partition].end

    def open_store(self, table: str, partition: int) -> Position:
        where = table, partition
        store = self._disk.store(where)
        self.opened.append(Opened(where, dict(store.rows), self._broker.changelogs[where].end))
        return store.position

    def reset_store(self, table: str, partition: int) -> Position:
        self._disk.stores.pop((table, partition), None)
        return self.open_store(table, partition)

    def close_stores_except(self, partitions: Collection[int]) -> None:
        pass

    async def read_rows(
        self, table: str, partition: int, keys: Sequence[bytes]
    ) -> Sequence[bytes | None]:
        return self.read_now(table, partition, keys)

    def read_now(self, table: str, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read rows of a store without waiting, as the engine does."""
        rows = self._disk.store((table, partition)).rows
        return [rows.get(key) for key in keys]

    def scan_rows(self, table: str, partition: int) -> Iterable[tuple[bytes, bytes]]:
        return list(self._disk.store((table, partition)).engine_rows.items())

    async def source(self) -> Source:
        await self._process.step("describe")
        return Source(self._broker.n_partitions, self._broker.topic_id)

    async def source_range(self, partition: int) -> tuple[int, int]:
        await self._process.step("describe")
        return 0, len(self._broker.events[partition])

    def _store_message(self, topic: str, message: Message) -> int:
        self._broker.topics[topic].append(message)
        return len(self._broker.topics[topic]) - 1

    def _store_row(self, where: Where, row: Row, epoch: int) -> int:
        changelog = self._broker.changelogs[where]
        return changelog.append(row, epoch, self._process.name, self._now_s())
