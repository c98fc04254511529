"""The log that the chaos tests send, and what an uninterrupted fold of it must give.

The log is MovieTweetings as recorded where ``STREAM_REC_DATA`` has it, else the sample that the
package brings; when more events are wanted than it has, it is sent again with other users, later.
Every `BAD_EVERY`-th record is no event and belongs in the dead-letter topic.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Message

from stream_rec.config import load_settings
from stream_rec.data import SAMPLE_EVENTS
from stream_rec.logs import open_log
from stream_rec.model.runs import Run
from stream_rec.stream.changelog import ITEMS, PROFILES
from stream_rec.stream.engine_port import Engine
from tests.simulation.reference import source_of
from tests.simulation.rows import exact_rows
from tests.stream.fake_engine import FakeEngine
from tests.stream.topics import BAD_VALUE, Event

RECORDED = "movietweetings/events.csv.gz"
BAD_EVERY = 1_000
MS_PER_S = 1_000

Place = tuple[int, int]
"""Partition and offset of a record of the events topic."""

Rows = dict[bytes, object]
"""What must be equal of each row, by key."""


class Kind(NamedTuple):
    """An engine under test.

    Attributes
    ----------
    module : str
        What a worker process with it runs.
    create : callable
        Makes one that keeps all it learns in memory, for a number of partitions.
    exact : callable
        Takes from rows what must be equal bit for bit.
    """

    module: str
    create: Callable[[int], Engine]
    exact: Callable[[dict[bytes, bytes]], Rows]


class Expected(NamedTuple):
    """What must come out of a log.

    Attributes
    ----------
    rows : dict
        By table and partition.
    last_of_user : dict
        Place of each user's last event.
    refused : dict
        Values of the records that are no events, by place.
    """

    rows: dict[tuple[str, int], Rows]
    last_of_user: dict[bytes, Place]
    refused: dict[Place, bytes | None]


def recorded_events(n_records: int) -> list[tuple[bytes, bytes]]:
    """Return the (key, value) of the first records of the log."""
    folder = os.environ.get("STREAM_REC_DATA")
    path = Path(folder) / RECORDED if folder else SAMPLE_EVENTS
    with open_log(path if path.exists() else SAMPLE_EVENTS) as log:
        rows = list(log.rows())
    lap_s = (rows[-1].ts_ms - rows[0].ts_ms) / MS_PER_S
    records = []
    for number in range(n_records):
        lap, row = number // len(rows), rows[number % len(rows)]
        user = f"{row.user}-{lap}"
        event = {"user": user, "item": row.item, "type": row.type, "value": row.value}
        event["ts"] = row.ts_ms / MS_PER_S + lap * lap_s
        is_bad = number % BAD_EVERY == BAD_EVERY - 1
        records.append((user.encode(), BAD_VALUE if is_bad else json.dumps(event).encode()))
    return records


def fold(messages: Iterable[Message], n_partitions: int, kind: Kind) -> Expected:
    """Fold a log in one process, without a stop, partition after partition."""
    expected = Expected({}, {}, {})
    engine = kind.create(n_partitions)
    records: list[list[Event]] = [[] for _ in range(n_partitions)]
    for message in messages:
        one = Event(message.offset(), message.key(), message.value(), message.timestamp()[1])
        records[message.partition()].append(one)
    for partition in range(n_partitions):
        engine.open_partition(partition)
        result = engine.process([Run(partition, records[partition])], 0)[0]
        for published in result.published:
            expected.last_of_user[published.key] = partition, published.offset
        for refused in result.refused:
            record = records[partition][refused.place]
            expected.refused[partition, record.offset] = record.value
        frozen = engine.freeze(partition)
        expected.rows[ITEMS, partition] = kind.exact(dict(frozen.items))
        expected.rows[PROFILES, partition] = kind.exact(dict(frozen.profiles))
    return expected


def last_lists(messages: Iterable[Message]) -> dict[bytes, Place]:
    """Return, by user, the place of the event that the last list belongs to.

    A subscriber skips lists for earlier events than its last one (docs/messages.md).
    """
    last: dict[bytes, Place] = {}
    for message in messages:
        place = source_of(message.value())
        last[message.key()] = max(place, last.get(message.key(), place))
    return last


def dead_letters(messages: Iterable[Message]) -> dict[Place, bytes | None]:
    """Return the values of dead letters by the place they came from."""
    letters = {}
    for message in messages:
        headers = dict(message.headers() or ())
        place = int(headers["dlq-source-partition"]), int(headers["dlq-source-offset"])
        letters[place] = message.value()
    return letters


def _create_recommender(n_partitions: int) -> Engine:
    from stream_rec.model.engine import Engine as Recommender

    settings = load_settings(None, {})
    return Recommender(
        settings.model,
        settings.events,
        source_topic=settings.topics.events,
        n_partitions=n_partitions,
    )


COUNTING = Kind(
    "tests.stream.fake_worker",
    lambda n_partitions: FakeEngine(n_partitions, lambda partition, keys: [None] * len(keys)),
    lambda rows: {**rows},
)
RECOMMENDER = Kind("tests.stream.recommender_worker", _create_recommender, exact_rows)
