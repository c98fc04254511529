"""Follow topics without a consumer group: what `tail` and `demo` read with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaException,
    Message,
    TopicPartition,
)

from stream_rec.config import KafkaSettings
from stream_rec.errors import StreamRecError, TopicError
from stream_rec.kafka_clients import confluent_consumer_config

CONNECT_TIMEOUT_S = 5.0
BATCH_RECORDS_MAX = 1000
UNUSED_GROUP = "stream-rec-reader"
"""librdkafka wants the name of a group; nothing is ever committed under it."""


class BrokerUnreachableError(StreamRecError):
    """No Kafka broker answers at the configured address."""


class TopicReader:
    """Read all partitions of some topics, from their beginning or from now on.

    Parameters
    ----------
    consumer : Consumer
        Of confluent-kafka, assigned.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def read(self, timeout_s: float) -> list[Message]:
        """Return the records that are there, waiting at most `timeout_s` for the first."""
        messages = self._consumer.consume(BATCH_RECORDS_MAX, 0)
        if not messages:
            messages = self._consumer.consume(1, timeout_s)
        records = []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.fatal() or not error.retriable():
                raise BrokerUnreachableError(f"reading from Kafka failed: {error.str()}")
        return records


@contextmanager
def open_reader(
    kafka: KafkaSettings, topics: Sequence[str], *, from_beginning: bool
) -> Iterator[TopicReader]:
    """Open a reader of all partitions of some topics.

    Raises
    ------
    BrokerUnreachableError
        No broker answers.
    TopicError
        A topic does not exist.
    """
    # Errors reach people through exceptions; librdkafka's own log lines would only repeat them.
    consumer = Consumer(confluent_consumer_config(kafka, UNUSED_GROUP, log_level=0))
    try:
        offset = OFFSET_BEGINNING if from_beginning else OFFSET_END
        consumer.assign(
            [
                TopicPartition(topic, partition, offset)
                for topic in topics
                for partition in partitions_of(consumer, kafka, topic)
            ]
        )
        yield TopicReader(consumer)
    finally:
        consumer.close()


def partitions_of(consumer: Consumer, kafka: KafkaSettings, topic: str) -> list[int]:
    """Return the partitions of a topic that must exist."""
    try:
        metadata = consumer.list_topics(topic, timeout=CONNECT_TIMEOUT_S).topics[topic]
    except KafkaException as error:
        raise unreachable(kafka, error) from None
    if metadata.error is not None or not metadata.partitions:
        raise TopicError(
            f"expected topic {topic}, found none at {kafka.broker}; create it with "
            "`stream-rec topics create`, or name another with --set topics.…=NAME"
        )
    return sorted(metadata.partitions)


def unreachable(kafka: KafkaSettings, error: KafkaException) -> BrokerUnreachableError:
    """Explain what a client's failure to talk to Kafka means."""
    return BrokerUnreachableError(
        f"expected a Kafka broker at {kafka.broker} (kafka.broker), came: "
        f"{error.args[0].str()}; start it, or give its address with --set kafka.broker=HOST:PORT"
    )
