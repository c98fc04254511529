"""What a worker says when Kafka or its topics are not as they must be."""

from __future__ import annotations

import logging
import socket

import pytest
from confluent_kafka import Producer

from stream_rec.config import Settings, load_settings
from stream_rec.errors import TopicError
from stream_rec.stream.asking import KafkaUnreachableError
from stream_rec.stream.embedded import EmbeddedBroker
from stream_rec.stream.startup import check_topics


def settings_for(address: str) -> Settings:
    return load_settings(None, {"kafka.broker": address, "kafka.embedded": True})


async def test_partitions_of_events_are_returned() -> None:
    names = settings_for("localhost:1").topics.names
    with EmbeddedBroker(dict.fromkeys(names, 3)) as broker:
        assert await check_topics(settings_for(broker.address)) == 3


async def test_missing_topics_are_named() -> None:
    message = r"recommendations.*stream-rec topics create"
    with EmbeddedBroker({"events": 3}) as broker, pytest.raises(TopicError, match=message):
        await check_topics(settings_for(broker.address))


async def test_changelog_with_other_partitions_is_refused() -> None:
    names = settings_for("localhost:1").topics.names
    topics = dict.fromkeys(names, 3) | {"stream-rec-items-changelog": 4}
    message = r"as many partitions as events \(3\), came 4"
    with EmbeddedBroker(topics) as broker, pytest.raises(TopicError, match=message):
        await check_topics(settings_for(broker.address))


async def test_nobody_is_told_to_delete_a_changelog_that_holds_a_model() -> None:
    names = settings_for("localhost:1").topics.names
    name = "stream-rec-profiles-changelog"
    with EmbeddedBroker(dict.fromkeys(names, 4) | {name: 3}) as broker:
        settings = settings_for(broker.address)
        with pytest.raises(TopicError, match=rf"--delete --topic {name}"):
            await check_topics(settings)
        producer = Producer({"bootstrap.servers": broker.address})
        producer.produce(name, b"row", b"user", 2)
        assert producer.flush(30) == 0
        with pytest.raises(TopicError, match=r"partitions=4 under.*--rebuild-from") as refused:
            await check_topics(settings)
    assert "--delete" not in str(refused.value)


async def test_absent_kafka_is_asked_again_then_reported(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    with caplog.at_level(logging.WARNING), pytest.raises(KafkaUnreachableError, match=address):
        await check_topics(settings_for(address), wait_for_kafka_s=2.5)
    assert f"no answer from Kafka at {address}" in caplog.text
