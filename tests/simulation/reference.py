"""What must come out: an uninterrupted fold of the same log, with the same partitions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from stream_rec.model.runs import Run
from stream_rec.stream.changelog import ITEMS, PROFILES
from stream_rec.stream.engine_port import Engine, EngineFactory
from tests.simulation.broker import EventRecord, Where

Rows = dict[bytes, bytes]

Place = tuple[int, int]
"""Partition and offset of an event."""


@dataclass
class Reference:
    """The outcome of an uninterrupted fold.

    Attributes
    ----------
    rows : dict
        By table and partition.
    listed : set of (partition, offset)
        Events that deserve a list.
    refused : dict
        Values of the records that cannot be used, by partition and offset.
    last_of_user : dict
        Partition and offset of each user's last event that deserves a list.
    forgotten : set of bytes
        Users whose last event asks to forget them.
    """

    engine: Engine
    rows: dict[Where, Rows] = field(default_factory=dict)
    listed: set[Place] = field(default_factory=set)
    refused: dict[Place, bytes | None] = field(default_factory=dict)
    last_of_user: dict[bytes, Place] = field(default_factory=dict)
    forgotten: set[bytes] = field(default_factory=set)


def fold(events: Sequence[Sequence[EventRecord]], create_engine: EngineFactory) -> Reference:
    """Fold a log, the partitions taking turns by time."""
    n_partitions = len(events)
    stored: dict[Where, Rows] = {}

    def read_profiles(partition: int, keys: list[bytes]) -> list[bytes | None]:
        rows = stored.get((PROFILES, partition), {})
        return [rows.get(key) for key in keys]

    reference = Reference(create_engine(n_partitions, read_profiles))
    engine = reference.engine
    for partition in range(n_partitions):
        engine.open_partition(partition)
    in_order = sorted((r for records in events for r in records), key=lambda r: r.timestamp)
    for record in _by_partition_order(in_order, events):
        result = engine.process([Run(record.partition, [record])], 0)[0]
        for published in result.published:
            if published.value is None:
                reference.forgotten.add(published.key)
                reference.last_of_user.pop(published.key, None)
                continue
            where = record.partition, published.offset
            reference.forgotten.discard(published.key)
            reference.listed.add(where)
            reference.last_of_user[published.key] = where
        for _ in result.refused:
            reference.refused[record.partition, record.offset] = record.value
    for partition in range(n_partitions):
        frozen = engine.freeze(partition)
        reference.rows[ITEMS, partition] = dict(frozen.items)
        reference.rows[PROFILES, partition] = {
            key: row for key, row in frozen.profiles if row is not None
        }
        stored[PROFILES, partition] = reference.rows[PROFILES, partition]
    return reference


def _by_partition_order(
    in_order: list[EventRecord], events: Sequence[Sequence[EventRecord]]
) -> list[EventRecord]:
    """Interleave partitions by time, keeping each in the order of its offsets."""
    cursors = [iter(records) for records in events]
    return [next(cursors[record.partition]) for record in in_order]


def source_of(message: bytes) -> Place:
    """Return partition and offset of the event that a list belongs to."""
    document = json.loads(message)
    source = document.get("source", document)
    return int(source["partition"]), int(source["offset"])
