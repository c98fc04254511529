"""Stands in for the workers: the real engine, in process, writing what a worker writes."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Producer

from stream_rec.config import Settings
from stream_rec.kafka_clients import confluent_config
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import Run
from stream_rec.stream.changelog import encode_epoch
from tests.model.logs import FakeRecord, records_of

EPOCH = 1
AT_MS = 1_700_000_000_000


class Teacher:
    def __init__(self, settings: Settings) -> None:
        self._topics = settings.topics
        self._producer = Producer(confluent_config(settings.kafka))
        self.engine = Engine(
            settings.model,
            settings.events,
            source_topic=settings.topics.events,
            n_partitions=settings.topics.partitions,
        )
        self.engine.open_partition(0)

    def teach(self, events: Sequence[Event]) -> None:
        self.take(records_of(list(events)))

    def take(self, records: Sequence[FakeRecord]) -> None:
        """Fold records of partition 0 and write lists, then rows."""
        for published in self.engine.process([Run(0, records)], AT_MS)[0].published:
            self._produce(self._topics.recommendations, published.key, published.value)
        frozen = self.engine.freeze(0)
        for topic, rows in (
            (self._topics.items_changelog, frozen.items),
            (self._topics.profiles_changelog, frozen.profiles),
        ):
            for key, row in rows:
                self._produce(topic, key, row, encode_epoch(EPOCH))
        assert self._producer.flush(30) == 0

    def _produce(self, topic: str, key: bytes, value: bytes | None, headers: object = None) -> None:
        self._producer.produce(topic, value, key, partition=0, headers=headers)
        self._producer.poll(0)
