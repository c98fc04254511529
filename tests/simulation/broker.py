"""The simulated broker: topics that keep what was stored, and a changelog that is compacted.

A changelog remembers beside what it holds all that it ever held, for the checkers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from stream_rec.stream.changelog import Headers
from stream_rec.stream.effects import LogRecord, Row

Where = tuple[str, int]
"""Table and partition."""

EVENTS = "events"


class Stored(NamedTuple):
    """A changelog record, by whom it was written and when it was stored."""

    record: LogRecord
    author: str
    at_s: float


class Compaction(NamedTuple):
    """What a compaction removed from a changelog when it ended at ``end``."""

    end: int
    removed: frozenset[int]


class Message(NamedTuple):
    """A record of a topic that is no changelog."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    author: str


class EventRecord(NamedTuple):
    """A record of the events topic, as aiokafka hands it out."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


class Changelog:
    """One partition of a compacted topic."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.ever: list[Stored] = []
        self.compactions: list[Compaction] = []

    @property
    def end(self) -> int:
        """Offset of the next record."""
        return len(self.ever)

    def append(self, row: Row, epoch: int, author: str = "", now_s: float = 0.0) -> int:
        """Store a record and return its offset."""
        record = LogRecord(self.end, *row, epoch)
        self.records.append(record)
        self.ever.append(Stored(record, author, now_s))
        return record.offset

    def compacted(self, before: int, no_tombstones_before: int = 0) -> list[LogRecord]:
        """Return what Kafka keeps: the last record of each key among those before an offset.

        Of these, no tombstone whose retention has passed.
        """
        last = {record.key: record.offset for record in self.records if record.offset < before}
        return [
            record
            for record in self.records
            if record.offset >= before
            or (
                last[record.key] == record.offset
                and (record.value is not None or record.offset >= no_tombstones_before)
            )
        ]

    def compact(self, before: int, no_tombstones_before: int = 0) -> None:
        """Remove what Kafka does not keep."""
        all_records = self.records
        self.records = self.compacted(before, no_tombstones_before)
        kept = {record.offset for record in self.records}
        removed = frozenset(r.offset for r in all_records if r.offset not in kept)
        if removed:
            self.compactions.append(Compaction(self.end, removed))

    def removed_until(self, end: int) -> frozenset[int]:
        """Return the offsets that had been removed when the changelog ended there."""
        return frozenset[int]().union(*(c.removed for c in self.compactions if c.end <= end))

    def offset_at(self, at_s: float) -> int:
        """Return the first offset that was stored later than ``at_s``."""
        young = (stored.record.offset for stored in self.ever if stored.at_s > at_s)
        return next(young, self.end)

    def read(self, start: int, end: int) -> list[LogRecord]:
        """Return what is left of the records with start ≤ offset < end."""
        return [record for record in self.records if start <= record.offset < end]


@dataclass
class Broker:
    """All topics.

    Parameters
    ----------
    n_partitions : int
        Of the events topic and of the changelogs.
    """

    n_partitions: int
    topic_id: bytes = b"t" * 16
    events: list[list[EventRecord]] = field(init=False)
    topics: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    changelogs: dict[Where, Changelog] = field(default_factory=lambda: defaultdict(Changelog))

    def __post_init__(self) -> None:
        self.events = [[] for _ in range(self.n_partitions)]

    def append_event(
        self, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int
    ) -> None:
        """Store a record of the events topic."""
        offset = len(self.events[partition])
        self.events[partition].append(
            EventRecord(EVENTS, partition, offset, key, value, (), timestamp_ms)
        )
