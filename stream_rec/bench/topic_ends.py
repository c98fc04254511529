"""Fill a topic, and see how many records one holds, without reading them.

Counting by the ends of the partitions costs one small request a partition: unlike a consumer it
takes no processor time from what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from confluent_kafka import Consumer, Producer, TopicPartition

from stream_rec.bench.events import Encoded
from stream_rec.errors import DeliveryError
from stream_rec.kafka_clients import PARTITIONER, confluent_config, confluent_producer_config
from stream_rec.settings import KafkaSettings
from stream_rec.stream.asking import ask

TIMEOUT_S = 30.0
UNUSED_GROUP = "stream-rec-bench"
"""librdkafka wants the name of a group; nothing is ever committed under it."""


class TopicEnds:
    """Counts the records that were ever written to a topic.

    Parameters
    ----------
    kafka : KafkaSettings
    topic : str
    n_partitions : int
    """

    def __init__(self, kafka: KafkaSettings, topic: str, n_partitions: int) -> None:
        self._broker = kafka.broker
        self._consumer = Consumer(confluent_config(kafka, group_id=UNUSED_GROUP, log_level=0))
        self._partitions = [TopicPartition(topic, p) for p in range(n_partitions)]

    def count(self) -> int:
        """Return the number of records that Kafka has acknowledged so far."""
        return sum(
            ask(partial(self._end, one), self._broker, TIMEOUT_S) for one in self._partitions
        )

    def _end(self, partition: TopicPartition) -> int:
        end: int = self._consumer.get_watermark_offsets(partition, TIMEOUT_S)[1]
        return end

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()


def send_all(kafka: KafkaSettings, topic: str, events: Sequence[Encoded]) -> None:
    """Send events to a topic, each user's to one partition, and wait for all acknowledgements.

    Raises
    ------
    DeliveryError
        Kafka did not take them all.
    """
    producer = Producer(confluent_producer_config(kafka, partitioner=PARTITIONER))
    failures: list[object] = []

    def note(error: object, _message: object) -> None:
        if error is not None:
            failures.append(error)

    for event in events:
        while True:
            try:
                producer.produce(topic, event.value, event.key, on_delivery=note)
                break
            except BufferError:
                producer.poll(TIMEOUT_S)
    if n_left := producer.flush(TIMEOUT_S):
        raise DeliveryError(
            f"expected Kafka to take {len(events)} events in {TIMEOUT_S:g} s, {n_left} are left; "
            "is the broker overloaded?"
        )
    if failures:
        raise DeliveryError(
            f"expected Kafka to take {len(events)} events, {len(failures)} failed, the first: "
            f"{failures[0]}"
        )
