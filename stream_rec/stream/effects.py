"""The port through which a worker touches the world.

Processing, committing, recovery and the taking and giving up of partitions do nothing but through
these calls: they run under Faust with Kafka and RocksDB (kafka_effects.py), and in tests under a
simulated broker and disk that may fail before and after each call (tests/simulation).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from stream_rec.stream.changelog import Headers, Position, Watermark

Row = tuple[bytes, bytes | None]
"""Key and value; None removes the key."""


class Acked(NamedTuple):
    """What one worker wrote into one changelog partition since it last waited."""

    first: int
    last: int
    n_records: int


class LogRecord(NamedTuple):
    """A record of a changelog."""

    offset: int
    key: bytes
    value: bytes | None
    epoch: int


class Source(NamedTuple):
    """The events topic as it is now."""

    n_partitions: int
    topic_id: bytes


class Effects(Protocol):
    """Everything that a worker does to the world."""

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Hand a list or a dead letter to the producer, waiting while its queue is full."""

    async def produce(self, table: str, partition: int, row: Row, epoch: int) -> None:
        """Hand one record to the producer, which keeps the order."""

    async def stand_aside(self) -> None:
        """Let others run, if it has been a while: for what works through many rows."""

    async def wait_for_acks(self) -> Mapping[tuple[str, int], Acked]:
        """Wait for the acknowledgement of all that was handed over: changelogs, lists, the rest.

        Returns the changelog offsets by table and partition. Raises DeliveryError if any of it
        was not acknowledged.
        """

    async def write_batch(
        self,
        table: str,
        partition: int,
        rows: Sequence[Row],
        position: Position,
        watermark: Watermark | None,
    ) -> None:
        """Write rows, changelog position and watermark to the store, all or nothing."""

    async def commit(self, offsets: Mapping[int, int]) -> bool:
        """Commit offsets of the events topic; say whether the group still takes them from us."""

    def read_log(
        self, table: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[Sequence[LogRecord], None]:
        """Read the changelog records with start ≤ offset < end, in batches.

        Close it (``contextlib.aclosing``): nothing else is read until then.
        """

    async def log_end(self, table: str, partition: int) -> int:
        """Return the offset that the next record of the changelog will get."""

    def open_store(self, table: str, partition: int) -> Position:
        """Open a store, or create it; return how far it goes.

        Raises StateError if it is damaged or in use by another process.
        """

    def reset_store(self, table: str, partition: int) -> Position:
        """Delete a store and open it anew, empty."""

    def close_stores_except(self, partitions: Collection[int]) -> None:
        """Close the stores of all other partitions."""

    async def read_rows(
        self, table: str, partition: int, keys: Sequence[bytes]
    ) -> Sequence[bytes | None]:
        """Read rows of a store; reserved keys too."""

    def scan_rows(self, table: str, partition: int) -> Iterable[tuple[bytes, bytes]]:
        """Iterate over all rows of a store, without the reserved ones."""

    async def source(self) -> Source:
        """Describe the events topic."""

    async def source_range(self, partition: int) -> tuple[int, int]:
        """Return the first offset that exists and the next that will, in the events topic."""
