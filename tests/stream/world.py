"""A world in memory for committing and recovery: changelogs, disks, a group, and crashes.

`World` outlives workers; `WorldEffects` is one worker's view of it and can be told to crash before
or after its n-th effect. A crash is an exception that the code under test does not catch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stream_rec.errors import DeliveryError
from stream_rec.stream.changelog import (
    POSITION_KEY,
    RESERVED_PREFIX,
    TABLES,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.effects import Acked, LogRecord, Row, Source

Where = tuple[str, int]


class Crash(BaseException):
    """The worker's process is gone."""


@dataclass
class World:
    """What is left when workers die."""

    n_partitions: int = 1
    topic_id: bytes = bytes(16)
    generation: int = 1
    logs: dict[Where, list[LogRecord]] = field(default_factory=dict)
    log_ends: dict[Where, int] = field(default_factory=dict)
    disks: dict[str, dict[Where, dict[bytes, bytes]]] = field(default_factory=dict)
    committed: dict[int, int] = field(default_factory=dict)
    source_ranges: dict[int, tuple[int, int]] = field(default_factory=dict)
    trace: list[tuple[str, ...]] = field(default_factory=list)

    def append(self, where: Where, row: Row, epoch: int) -> int:
        offset = self.log_ends.get(where, 0)
        self.log_ends[where] = offset + 1
        self.logs.setdefault(where, []).append(LogRecord(offset, *row, epoch))
        return offset

    def compact(self) -> None:
        """Keep the last record of each key, as Kafka does sooner or later."""
        for where, records in self.logs.items():
            last = {record.key: record.offset for record in records}
            self.logs[where] = [record for record in records if last[record.key] == record.offset]

    def disk(self, name: str, where: Where) -> dict[bytes, bytes]:
        return self.disks.setdefault(name, {}).setdefault(where, {})


class WorldEffects:
    """One worker's effects.

    Parameters
    ----------
    world : World
        Shared with other workers.
    disk : str
        Name of this worker's disk.
    generation : int
        In which it got its partitions; older than the world's for a zombie.
    crash_at : int, optional
        Crash at the n-th effect (from 0): before it, or after it where ``crash_after``.
    """

    def __init__(
        self,
        world: World,
        disk: str = "disk",
        generation: int | None = None,
        crash_at: int | None = None,
        crash_after: bool = False,
    ) -> None:
        self.world = world
        self.generation = world.generation if generation is None else generation
        self.fails_to_deliver: bytes | None = None
        self.disk_name = disk
        self._crash_at = crash_at
        self._crash_after = crash_after
        self._unacked: list[tuple[Where, Row, int]] = []
        self.n_effects = 0
        self.n_reading = 0

    async def produce(self, table: str, partition: int, row: Row, epoch: int) -> None:
        self._unacked.append(((table, partition), row, epoch))

    async def stand_aside(self) -> None:
        await asyncio.sleep(0)

    async def wait_for_acks(self) -> Mapping[Where, Acked]:
        acked: dict[Where, Acked] = {}
        while self._unacked:
            where, row, epoch = self._unacked.pop(0)
            with self._effect("produce", where[0], str(row[0])):
                if self.fails_to_deliver == row[0]:
                    raise DeliveryError("a record was not acknowledged")
                offset = self.world.append(where, row, epoch)
            before = acked.get(where, Acked(offset, offset, 0))
            acked[where] = Acked(before.first, offset, before.n_records + 1)
        self.world.trace.append(("acked",))
        return acked

    async def write_batch(
        self,
        table: str,
        partition: int,
        rows: Sequence[Row],
        position: Position,
        watermark: Watermark | None,
    ) -> None:
        reserved: list[Row] = [(POSITION_KEY, position.encode())]
        if watermark is not None:
            reserved.append((WATERMARK_KEY, watermark.encode()))
        with self._effect("write", table, str(partition)):
            disk = self.world.disk(self.disk_name, (table, partition))
            for key, value in [*rows, *reserved]:
                if value is None:
                    disk.pop(key, None)
                else:
                    disk[key] = value

    async def commit(self, offsets: Mapping[int, int]) -> bool:
        with self._effect("commit"):
            if self.generation != self.world.generation:
                return False
            self.world.committed |= offsets
            return True

    async def read_log(
        self, table: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[Sequence[LogRecord], None]:
        records = self.world.logs.get((table, partition), [])
        wanted = [record for record in records if start <= record.offset < end]
        self.n_reading += 1
        try:
            for first in range(0, len(wanted), 2):
                yield wanted[first : first + 2]
        finally:
            self.n_reading -= 1

    async def log_end(self, table: str, partition: int) -> int:
        return self.world.log_ends.get((table, partition), 0)

    async def read_rows(
        self, table: str, partition: int, keys: Sequence[bytes]
    ) -> Sequence[bytes | None]:
        disk = self.world.disk(self.disk_name, (table, partition))
        return [disk.get(key) for key in keys]

    def scan_rows(self, table: str, partition: int) -> Iterable[tuple[bytes, bytes]]:
        disk = self.world.disk(self.disk_name, (table, partition))
        return [(key, row) for key, row in disk.items() if not key.startswith(RESERVED_PREFIX)]

    def reset_store(self, table: str, partition: int) -> Position:
        self.world.disk(self.disk_name, (table, partition)).clear()
        return Position()

    async def source(self) -> Source:
        return Source(self.world.n_partitions, self.world.topic_id)

    async def source_range(self, partition: int) -> tuple[int, int]:
        return self.world.source_ranges.get(partition, (0, 1_000_000))

    def positions(self, partition: int) -> dict[tuple[str, int], Position]:
        """Where this worker's stores end, as `Stores.open` returns it."""
        wheres = [(table, partition) for table in TABLES]
        disks = {where: self.world.disk(self.disk_name, where) for where in wheres}
        return {
            where: Position.decode(disk[POSITION_KEY]) if POSITION_KEY in disk else Position()
            for where, disk in disks.items()
        }

    def _effect(self, *what: str) -> Effect:
        return Effect(self, what)

    def crash_if_told(self, after: bool) -> None:
        if self.n_effects == self._crash_at and self._crash_after == after:
            raise Crash


class Effect:
    """One effect on the world, with a possible crash on either side of it."""

    def __init__(self, effects: WorldEffects, what: tuple[str, ...]) -> None:
        self._effects = effects
        self._what = what

    def __enter__(self) -> None:
        self._effects.crash_if_told(after=False)
        self._effects.world.trace.append(self._what)

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None:
            self._effects.crash_if_told(after=True)
        self._effects.n_effects += 1
