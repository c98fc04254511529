"""A broker for the producers' tests, and a reader of what they left on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from confluent_kafka import Consumer, TopicPartition

from stream_rec.config import KafkaSettings
from stream_rec.kafka_clients import confluent_consumer_config
from stream_rec.stream.embedded import EmbeddedBroker

READ_TIMEOUT_S = 30.0
N_PARTITIONS = 4


class ReadRecord(NamedTuple):
    """One record as it is on the broker."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """Address of an embedded broker; each test uses a topic of its own."""
    with EmbeddedBroker({}) as embedded:
        yield embedded.address


@pytest.fixture
def kafka_arguments(broker: str, request: pytest.FixtureRequest) -> list[str]:
    """Command line options that lead a program to the test's own topic."""
    return ["--broker", broker, "--set", "kafka.embedded=true", "--topic", topic_of(request)]


@pytest.fixture
def read_topic(broker: str, request: pytest.FixtureRequest) -> Callable[[], list[ReadRecord]]:
    """Read everything that is on the test's topic, in offset order within a partition."""

    def read() -> list[ReadRecord]:
        settings = KafkaSettings(broker=broker, embedded=True)
        consumer = Consumer(confluent_consumer_config(settings, "reader"))
        try:
            return list(_read_to_the_end(consumer, topic_of(request)))
        finally:
            consumer.close()

    return read


def topic_of(request: pytest.FixtureRequest) -> str:
    """Return the name of a test's topic."""
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:200]


def _read_to_the_end(consumer: Consumer, topic: str) -> Iterator[ReadRecord]:
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    whole = [TopicPartition(topic, number, 0) for number in partitions]
    n_missing = sum(consumer.get_watermark_offsets(part, timeout=10)[1] for part in whole)
    consumer.assign(whole)
    deadline_s = time.monotonic() + READ_TIMEOUT_S
    while n_missing:
        assert time.monotonic() < deadline_s, f"{n_missing} records of {topic} did not come"
        message = consumer.poll(1.0)
        if message is None:
            continue
        assert message.error() is None
        n_missing -= 1
        yield ReadRecord(
            message.partition(),
            message.key(),
            message.value(),
            dict(message.headers() or []),
            message.timestamp()[1],
        )
