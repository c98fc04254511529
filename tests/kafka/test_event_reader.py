"""The reader of events on a real broker, which fills a fetch as far as it may."""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka import Producer

from stream_rec.settings import KafkaSettings
from stream_rec.stream.event_reader import (
    FETCHED_RECORDS_MIN,
    PARTITION_FETCH_BYTES_MAX,
    EventReader,
)

BACKLOG = 20_000
RECORD_BYTES = 1_000
BATCH_BYTES = 16_384
"""A fetch brings one batch at least, whatever its limit."""


async def test_a_partition_does_not_wait_for_all_that_another_has(
    kafka_address: str, new_topic: Callable[..., str]
) -> None:
    topic = new_topic("events", partitions=2)
    producer = Producer({"bootstrap.servers": kafka_address, "batch.size": BATCH_BYTES})
    for _ in range(BACKLOG):
        producer.produce(topic, b"x" * RECORD_BYTES, partition=0)
    assert producer.flush(60) == 0
    reader = EventReader(KafkaSettings(broker=kafka_address), topic)
    await reader.assign({0: 0, 1: 0})
    while 0 not in await reader.take(64):
        pass
    producer.produce(topic, b"mine", partition=1)
    assert producer.flush(60) == 0
    n_before = 0
    while 1 not in (runs := await reader.take(64)):
        n_before += len(runs[0])
    await reader.close()
    assert n_before < FETCHED_RECORDS_MIN + 3 * PARTITION_FETCH_BYTES_MAX / RECORD_BYTES
