"""A bare confluent-kafka consume→produce loop: the most that one Python process gets out of Kafka.

Records are taken as they are at hand, forwarded as they are, and the offsets committed by the
client every five seconds. Runs until it is terminated.
"""

from __future__ import annotations

from confluent_kafka import Consumer, Producer

from stream_rec.bench.peers.route import Route
from stream_rec.kafka_clients import confluent_consumer_config, confluent_producer_config

RECORDS_MAX = 1000
WAIT_S = 0.1


def run(route: Route) -> None:
    """Forward records until the process is terminated."""
    consumer = Consumer(
        confluent_consumer_config(
            route.kafka, route.group_id, enable_auto_commit=True, auto_offset_reset="earliest"
        )
    )
    producer = Producer(confluent_producer_config(route.kafka))
    consumer.subscribe([route.source])
    while True:
        # Not consume(RECORDS_MAX, WAIT_S), which waits for so many.
        messages = consumer.consume(RECORDS_MAX, 0) or consumer.consume(1, WAIT_S)
        for message in messages:
            if message.error() is None:
                _produce(producer, route.target, message.value(), message.key())
        producer.poll(0)


def _produce(producer: Producer, topic: str, value: bytes | None, key: bytes | None) -> None:
    while True:
        try:
            return producer.produce(topic, value, key)
        except BufferError:
            producer.poll(WAIT_S)
