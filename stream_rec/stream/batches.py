"""Record batches: runs of records of one partition, and how several share one message.

What is handed to the agent, and what a message holds, costs the same whether it is one record or
many. So what one fetch brought for several partitions goes together, as long as all of it has no
more records than a batch may have alone: the worker is then busy with it as long at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aiokafka.structs import ConsumerRecord


class RecordBatch(NamedTuple):
    """A run of records of one partition, in offset order, never empty.

    Attributes
    ----------
    records : sequence of ConsumerRecord
    start : int
        Every offset from it to the last one is in the batch or does not exist in the topic.
    """

    records: Sequence[ConsumerRecord]
    start: int

    @property
    def partition(self) -> int:
        """Of all records."""
        return int(self.records[0].partition)

    @property
    def last(self) -> int:
        """Offset of the last record."""
        return int(self.records[-1].offset)


def cut(records: Sequence[ConsumerRecord], start: int, records_max: int) -> list[RecordBatch]:
    """Cut records of one partition into batches; `start` is the offset that was asked for."""
    batches = []
    for first in range(0, len(records), records_max):
        batch = RecordBatch(records[first : first + records_max], start)
        batches.append(batch)
        start = batch.last + 1
    return batches


def pack(batches: Iterable[RecordBatch], records_max: int) -> Iterator[list[RecordBatch]]:
    """Put batches together in their order: each partition once, so many records in all.

    Examples
    --------
    >>> from collections import namedtuple
    >>> Record = namedtuple("Record", "partition offset")
    >>> def batch(partition, first, end):
    ...     return RecordBatch([Record(partition, at) for at in range(first, end)], first)
    >>> message, following = pack([batch(0, 0, 3), batch(1, 7, 8), batch(0, 3, 4)], records_max=4)
    >>> [(one.partition, one.start, one.last) for one in message]
    [(0, 0, 2), (1, 7, 7)]
    >>> [(one.partition, one.start, one.last) for one in following]
    [(0, 3, 3)]
    """
    packed: list[RecordBatch] = []
    n_records = 0
    for batch in batches:
        is_full = n_records + len(batch.records) > records_max
        if packed and (is_full or any(batch.partition == other.partition for other in packed)):
            yield packed
            packed, n_records = [], 0
        packed.append(batch)
        n_records += len(batch.records)
    if packed:
        yield packed
