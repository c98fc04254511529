"""The port through which a worker touches the world, on Kafka and RocksDB."""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)

import confluent_kafka

from stream_rec.settings import TopicSettings
from stream_rec.stream.changelog import (
    ITEMS,
    POSITION_KEY,
    PROFILES,
    WATERMARK_KEY,
    Headers,
    Position,
    Watermark,
    encode_epoch,
)
from stream_rec.stream.clock_check import ClockCheck
from stream_rec.stream.effects import Acked, LogRecord, Row, Source
from stream_rec.stream.log_reader import LogReader
from stream_rec.stream.membership import Membership
from stream_rec.stream.publisher import Publisher
from stream_rec.stream.stores import Stores, in_parts

PAUSE_S = 0.001
"""Long enough for a batch of events: to reach the agent it takes several turns of the loop."""
USED_S = 1.5 * PAUSE_S
"""A pause that took as long was used by somebody."""
FIRST_TURN_S, TURN_MAX_S = 0.0005, 0.004
"""Between two pauses rows are handled for half as long as the last pause took: it was two or three
milliseconds, but with a backlog of events as long as a batch of 64, some seven. So a commit has a
third of the time. Where nobody uses the pauses, turns get longer."""
ROWS_AT_ONCE, UNLOGGED_ROWS_AT_ONCE = 100, 1000
"""Of a write to a store: a tenth of a millisecond to one; of recovery, when no event waits."""

Commit = Callable[[Mapping[int, int]], Awaitable[bool]]


class KafkaEffects:
    """`stream_rec.stream.effects.Effects` for a worker.

    Parameters
    ----------
    topics : TopicSettings
        Names of the events topic and of the changelogs.
    publisher, log_reader, stores
        What writes to Kafka, reads from Kafka, and holds the rows on disk.
    commit : Callable[[Mapping[int, int]], Awaitable[bool]]
        Commits offsets of the events topic as a member of the group.
    clock : ClockCheck
        Looks at the first acknowledgement of every changelog partition.
    membership : Membership
        Asked before a list or a dead letter is handed over.
    clock_s : Callable[[], float]
        Passes while rows are handled.
    """

    def __init__(
        self,
        topics: TopicSettings,
        publisher: Publisher,
        log_reader: LogReader,
        stores: Stores,
        commit: Commit,
        clock: ClockCheck,
        membership: Membership,
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._events = topics.events
        self._changelogs = {ITEMS: topics.items_changelog, PROFILES: topics.profiles_changelog}
        self._tables = {topic: table for table, topic in self._changelogs.items()}
        self._publisher = publisher
        self._log_reader = log_reader
        self._stores = stores
        self._commit = commit
        self._acked: dict[tuple[str, int], Acked] = {}
        self._clock = clock
        self._membership = membership
        self._clock_s = clock_s
        self._turn_s = FIRST_TURN_S
        self._turn_ends_s = 0.0

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Hand a list or a dead letter to the producer, waiting while its queue is full.

        Raises FencedError if this process stood still and has lost its partitions.
        """
        if not self._membership.is_sure():
            await self._membership.confirm()
        await self._publisher.send(topic, key, value, headers)

    async def produce(self, table: str, partition: int, row: Row, epoch: int) -> None:
        """Hand one record to the producer, letting others run now and then."""
        key, value = row
        await self._publisher.send(
            self._changelogs[table], key, value, encode_epoch(epoch), partition, self._on_acked
        )
        await self.stand_aside()

    async def stand_aside(self) -> None:
        """Come back a moment later if the turn is over: events that have come are processed first.

        The next turn is half as long as this pause, or twice as long as the last turn if nobody
        used it.
        """
        began_s = self._clock_s()
        if began_s < self._turn_ends_s:
            return
        await asyncio.sleep(PAUSE_S)
        ended_s = self._clock_s()
        paused_s = ended_s - began_s
        turn_s = paused_s / 2 if paused_s >= USED_S else 2 * self._turn_s
        self._turn_s = min(turn_s, TURN_MAX_S)
        self._turn_ends_s = ended_s + self._turn_s

    async def wait_for_acks(self) -> Mapping[tuple[str, int], Acked]:
        """Wait for everything published so far; return the changelog offsets among it."""
        await self._publisher.wait_for_acks()
        self._clock.raise_if_far_off()
        acked, self._acked = self._acked, {}
        return acked

    async def write_batch(
        self,
        table: str,
        partition: int,
        rows: Sequence[Row],
        position: Position,
        watermark: Watermark | None,
    ) -> None:
        """Write rows, position and watermark; atomic in effect, and in short turns.

        A write holds Python's global lock for 3 to 10 µs a row, so long ones are split. Only the
        last part moves the position. After a crash between two parts the store holds some rows from
        behind its position, which recovery reads again and overwrites with the same or newer ones.
        What recovery writes (without a watermark) bypasses RocksDB's log: see `Stores.write`.
        """
        is_logged = watermark is not None
        n_at_once = ROWS_AT_ONCE if is_logged else UNLOGGED_ROWS_AT_ONCE
        *parts, last = in_parts(rows, n_at_once)
        for some in parts:
            self._stores.write(table, partition, some, logged=is_logged)
            await (self.stand_aside() if is_logged else asyncio.sleep(0))
        last.append((POSITION_KEY, position.encode()))
        if watermark is not None:
            last.append((WATERMARK_KEY, watermark.encode()))
        self._stores.write(table, partition, last, logged=is_logged)

    async def commit(self, offsets: Mapping[int, int]) -> bool:
        """Commit offsets of the events topic as a member of the group."""
        return await self._commit(offsets)

    def read_log(
        self, table: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[Sequence[LogRecord], None]:
        """Read a stretch of a changelog partition."""
        return self._log_reader.read(self._changelogs[table], partition, start, end)

    async def log_end(self, table: str, partition: int) -> int:
        """Return the offset that the next record of the changelog will get."""
        return (await self._log_reader.offsets(self._changelogs[table], partition))[1]

    def open_store(self, table: str, partition: int) -> Position:
        """Open a store, or create it; return how far it goes."""
        return self._stores.open(table, partition)

    def reset_store(self, table: str, partition: int) -> Position:
        """Delete a store and open it anew, empty."""
        self._stores.delete(table, partition)
        return self._stores.open(table, partition)

    def close_stores_except(self, partitions: Collection[int]) -> None:
        """Close the stores of all other partitions."""
        self._stores.close_except(partitions)

    async def read_rows(
        self, table: str, partition: int, keys: Sequence[bytes]
    ) -> Sequence[bytes | None]:
        """Read rows of a store."""
        return self._stores.read(table, partition, keys)

    def scan_rows(self, table: str, partition: int) -> Iterable[tuple[bytes, bytes]]:
        """Iterate over the engine's rows in a store."""
        return self._stores.scan(table, partition)

    async def source(self) -> Source:
        """Describe the events topic."""
        return await self._log_reader.describe(self._events)

    async def source_range(self, partition: int) -> tuple[int, int]:
        """Return the first offset that exists and the next that will, in the events topic."""
        return await self._log_reader.offsets(self._events, partition)

    def _on_acked(self, message: confluent_kafka.Message) -> None:
        where = self._tables[str(message.topic())], int(message.partition() or 0)
        offset = int(message.offset() or 0)
        before = self._acked.get(where)
        if before is None:
            self._clock.look(message)
            self._acked[where] = Acked(offset, offset, 1)
        else:
            self._acked[where] = Acked(
                min(before.first, offset), max(before.last, offset), before.n_records + 1
            )
