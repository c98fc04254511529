"""The fixture serves a real broker, to both client libraries."""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer, KafkaProducer

RECORDS = [(b"ann", b"1"), (b"bob", b"2"), (b"ann", b"\x00\xff")]
TIMEOUT_S = 30


def produce_with_confluent(address: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True})
    for key, value in RECORDS:
        producer.produce(topic, key=key, value=value, headers=[("schema-version", b"1")])
    assert producer.flush(TIMEOUT_S) == 0


def produce_with_kafka_python(address: str, topic: str) -> None:
    producer = KafkaProducer(bootstrap_servers=address)
    for key, value in RECORDS:
        producer.send(topic, key=key, value=value, headers=[("schema-version", b"1")])
    producer.flush(TIMEOUT_S)
    producer.close()


def consume_with_confluent(address: str, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    messages = consumer.consume(len(RECORDS), timeout=TIMEOUT_S)
    consumer.close()
    assert [message.error() for message in messages] == [None] * len(RECORDS)
    return [(message.key(), message.value()) for message in messages]


def consume_with_kafka_python(address: str, topic: str) -> list[tuple[bytes, bytes]]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=address,
        group_id=topic,
        auto_offset_reset="earliest",
        consumer_timeout_ms=TIMEOUT_S * 1000,
    )
    records = [next(consumer) for _ in RECORDS]
    consumer.close()
    assert all(record.headers == [("schema-version", b"1")] for record in records)
    return [(record.key, record.value) for record in records]


def test_kafka_python_reads_what_confluent_wrote(
    kafka_address: str, new_topic: Callable[..., str]
) -> None:
    topic = new_topic("round-trip")
    produce_with_confluent(kafka_address, topic)
    assert consume_with_kafka_python(kafka_address, topic) == RECORDS


def test_confluent_reads_what_kafka_python_wrote(
    kafka_address: str, new_topic: Callable[..., str]
) -> None:
    topic = new_topic("round-trip")
    produce_with_kafka_python(kafka_address, topic)
    assert consume_with_confluent(kafka_address, topic) == RECORDS


def test_unknown_topic_is_not_created(kafka_address: str, kafka_admin: object) -> None:
    producer = Producer({"bootstrap.servers": kafka_address, "delivery.timeout.ms": 1000})
    errors = []
    producer.produce("no-such-topic", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(TIMEOUT_S)
    assert errors[0] is not None
