"""The publisher: order, acknowledgements, back-pressure, failure."""

from __future__ import annotations

import asyncio

import pytest

from stream_rec.errors import DeliveryError
from stream_rec.kafka_clients import confluent_producer_config
from stream_rec.settings import KafkaSettings
from stream_rec.stream.embedded import EmbeddedBroker
from stream_rec.stream.publisher import Publisher
from tests.stream.topics import read_all


def make_publisher(kafka: KafkaSettings, failures: list | None = None) -> Publisher:
    collected = [] if failures is None else failures
    return Publisher(confluent_producer_config(kafka) | {"log_level": 0}, collected.append)


async def test_records_arrive_untouched_and_in_order(kafka: KafkaSettings) -> None:
    publisher = make_publisher(kafka)
    headers = [("a", b"1"), ("a", b"2"), ("none", None)]
    for n in range(1000):
        await publisher.send("one", b"k%d" % n, None if n % 100 == 0 else b"v%d" % n, headers)
    await publisher.wait_for_acks()
    messages = read_all(kafka.broker, "one")
    assert [message.key() for message in messages] == [b"k%d" % n for n in range(1000)]
    assert messages[0].value() is None
    assert messages[1].value() == b"v1"
    assert messages[1].headers() == headers


async def test_wait_ends_when_all_before_it_is_acknowledged(kafka: KafkaSettings) -> None:
    publisher = make_publisher(kafka)
    acknowledged: list[int] = []
    for n in range(50):
        await publisher.send(
            "many", b"k%d" % n, b"", None, n % 3, lambda message: acknowledged.append(1)
        )
    await publisher.wait_for_acks()
    assert len(acknowledged) == 50


async def test_wait_does_not_wait_for_what_comes_later(kafka: KafkaSettings) -> None:
    publisher = make_publisher(kafka)
    stop = asyncio.Event()

    async def send_without_end() -> None:
        while not stop.is_set():
            await publisher.send("one", None, b"x" * 100)
            await asyncio.sleep(0)

    sender = asyncio.create_task(send_without_end())
    for _ in range(5):
        async with asyncio.timeout(10):
            await publisher.wait_for_acks()
    stop.set()
    await sender
    await publisher.wait_for_acks()


async def test_full_queue_makes_send_wait_and_drops_nothing(kafka: KafkaSettings) -> None:
    small = kafka.model_copy(update={"producer_queue_records_max": 20})
    publisher = make_publisher(small)
    for n in range(500):
        await publisher.send("one", None, b"%d" % n)
    await publisher.wait_for_acks()
    assert publisher.n_queue_full > 0
    values = [message.value() for message in read_all(kafka.broker, "one")]
    assert values == [b"%d" % n for n in range(500)]


async def test_lost_record_breaks_the_publisher_for_good(
    broker: EmbeddedBroker, kafka: KafkaSettings
) -> None:
    failures: list[DeliveryError] = []
    publisher = make_publisher(kafka.model_copy(update={"delivery_timeout_ms": 3000}), failures)
    await publisher.send("one", None, b"before")
    await publisher.wait_for_acks()
    broker.stop()
    await publisher.send("one", None, b"lost")
    with pytest.raises(DeliveryError, match="acknowledge every record"):
        await publisher.wait_for_acks()
    with pytest.raises(DeliveryError):
        await publisher.send("one", None, b"after the hole")
    assert len(failures) == 1


async def test_reports_are_served_while_nobody_waits(kafka: KafkaSettings) -> None:
    publisher = make_publisher(kafka)
    publisher.start()
    acknowledged = asyncio.Event()
    await publisher.send("one", None, b"x", on_delivery=lambda message: acknowledged.set())
    async with asyncio.timeout(10):
        await acknowledged.wait()
    await publisher.stop()
