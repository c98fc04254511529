"""Record batches: runs of records of one partition, as the agent is handed them.

What is handed to the agent, and what a message of Faust holds, costs the same whether it is one
record or many. So all that is at hand goes together, up to a number of records: the worker is then
busy with it for so long at most, and a partition waits no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stream_rec.stream.changelog import Headers


class EventRecord(NamedTuple):
    """A record of the events topic, as it came.

    Attributes
    ----------
    topic : str
    partition, offset : int
    timestamp : int
        In ms, set by the producer or the broker.
    key, value : bytes or None
    headers : list of (str, bytes)
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class RecordBatch(NamedTuple):
    """A run of records of one partition, in offset order, never empty.

    Attributes
    ----------
    records : sequence of EventRecord
    start : int
        Every offset from it to the last one is in the batch or does not exist in the topic.
    """

    records: Sequence[EventRecord]
    start: int

    @property
    def partition(self) -> int:
        """Of all records."""
        return self.records[0].partition

    @property
    def last(self) -> int:
        """Offset of the last record."""
        return self.records[-1].offset
