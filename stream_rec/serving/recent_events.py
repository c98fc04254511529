"""Where the reading of the events topic begins at a start, so that what is recent is known.

    first offset = that of the first event of the last minutes, by Kafka's timestamps; but
                   at least EVENTS_MIN events in all are read, as a quiet or recorded log's last
                   minutes lie further back, and at most EVENTS_MAX, some seconds of reading

Too much does no harm: what is recent is judged by event time (trend.py).
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import NamedTuple

from stream_rec.settings import Settings
from stream_rec.stream.state.offsets import KafkaOffsets

EVENTS_MIN = 10_000
EVENTS_MAX = 300_000
MS_PER_S = 1_000


class Tail(NamedTuple):
    """The last events of a partition: offset of the first, and the one that the next will get."""

    first: int
    end: int


def read_tails(settings: Settings, n_partitions: int, window_s: float) -> list[Tail]:
    """Ask Kafka for the tail of each partition of the events topic.

    Raises
    ------
    confluent_kafka.KafkaException
        Kafka does not answer.
    """
    since_ms = int((time.time() - window_s) * MS_PER_S)
    tails = []
    with closing(KafkaOffsets(settings)) as offsets:
        for partition in range(n_partitions):
            begin, end = offsets.events_range(partition)
            recent = offsets.events_since(partition, since_ms)
            tails.append(tail_of(begin, recent, end, n_partitions))
    return tails


def tail_of(begin: int, recent: int, end: int, n_partitions: int) -> Tail:
    """Return the tail of one of the partitions.

    Parameters
    ----------
    begin, recent, end : int
        First offset there is, that of the first recent event, and the one that the next will get.
    n_partitions : int

    Examples
    --------
    >>> tail_of(begin=0, recent=50_000, end=80_000, n_partitions=2)
    Tail(first=50000, end=80000)
    """
    length = min(max(end - recent, EVENTS_MIN // n_partitions), EVENTS_MAX // n_partitions)
    return Tail(max(begin, end - length), end)
