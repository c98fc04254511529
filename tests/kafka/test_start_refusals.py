"""What a worker refuses at its start on a real Kafka, before anything is changed, and the mend."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from stream_rec.config import load_settings
from stream_rec.errors import StateError, TopicError
from stream_rec.settings import Settings
from stream_rec.stream.clock_check import ClockCheck, ClockError
from stream_rec.stream.identity import (
    FILE_NAME,
    check_committed,
    check_folder,
    encode_identity,
    read_identity,
)
from stream_rec.stream.startup import check_topics
from tests.kafka.conftest import create_topic, is_listed

N_PARTITIONS = 2
TIMEOUT_S = 30
COMPACTED = {"cleanup.policy": "compact"}
TOPICS: dict[str, dict[str, str]] = {
    "events": {},
    "dlq": {},
    "recommendations": COMPACTED,
    "items_changelog": COMPACTED,
    "profiles_changelog": COMPACTED,
}
NewSettings = Callable[..., Settings]


@pytest.fixture
def new_settings(kafka_address: str, new_topic: Callable[..., str]) -> NewSettings:
    """A function that creates five topics and returns the settings that name them."""

    def create(**partitions: int) -> Settings:
        names = {
            key: new_topic(key, partitions.get(key, N_PARTITIONS), config=config)
            for key, config in TOPICS.items()
        }
        overrides = {"app_id": f"app-{uuid.uuid4().hex[:8]}", "kafka.broker": kafka_address}
        return load_settings(None, overrides | {f"topics.{k}": name for k, name in names.items()})

    return create


def create_again(admin: AdminClient, topic: str) -> None:
    admin.delete_topics([topic])[topic].result(TIMEOUT_S)
    while is_listed(admin, topic):
        pass
    create_topic(admin, NewTopic(topic, N_PARTITIONS, config=COMPACTED))


@pytest.mark.parametrize("key", ["recommendations", "items_changelog", "profiles_changelog"])
async def test_wrong_partition_count_is_refused(new_settings: NewSettings, key: str) -> None:
    settings = new_settings(**{key: 3})
    name = re.escape(getattr(settings.topics, key))
    mend = rf"kafka-topics\.sh .* --delete --topic {name}.*topics create --set topics\.partitions=2"
    with pytest.raises(TopicError, match=rf"{name} to have as many.*\(2\), came 3.*{mend}"):
        await check_topics(settings)


@pytest.mark.parametrize("key", ["recommendations", "items_changelog", "profiles_changelog"])
async def test_missing_compaction_is_refused(
    new_settings: NewSettings, new_topic: Callable[..., str], key: str
) -> None:
    settings = new_settings()
    plain = new_topic("plain", N_PARTITIONS)
    topics = settings.topics.model_copy(update={key: plain})
    with pytest.raises(TopicError, match=rf"{plain} .*came delete.*topics create --alter"):
        await check_topics(settings.model_copy(update={"topics": topics}))


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
async def test_events_that_compaction_would_take_are_refused(
    new_settings: NewSettings, new_topic: Callable[..., str], policy: str
) -> None:
    settings = new_settings()
    events = new_topic("compacted", N_PARTITIONS, config={"cleanup.policy": policy})
    topics = settings.topics.model_copy(update={"events": events})
    with pytest.raises(TopicError, match=rf"{events} .*came {policy}.*topics create --alter"):
        await check_topics(settings.model_copy(update={"topics": topics}))


def commit(settings: Settings, metadata: str) -> None:
    """Commit an offset by kafka-python: confluent-kafka cannot send the NUL at the end."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.broker, group_id=settings.app_id)
    place = TopicPartition(settings.topics.events, 1)
    consumer.assign([place])
    consumer.commit({place: OffsetAndMetadata(7, metadata, -1)})
    consumer.close()


@pytest.mark.parametrize("key", ["events", "items_changelog", "profiles_changelog"])
def test_recreated_topic_is_refused_on_whatever_disk(
    new_settings: NewSettings, kafka_admin: AdminClient, tmp_path: Path, key: str
) -> None:
    settings = new_settings()
    identity = read_identity(settings)
    check_committed(settings, identity)
    commit(settings, encode_identity(identity))
    check_committed(settings, identity)
    create_again(kafka_admin, getattr(settings.topics, key))
    again = read_identity(settings)
    if key != "events":  # whose committed offsets Kafka deletes with it: its watermark tells
        with pytest.raises(TopicError, match=r"deleted and created again.*topics create --set app"):
            check_committed(settings, again)
    check_folder(tmp_path, settings, identity)
    with pytest.raises(TopicError, match=r"deleted and created again.*worker --set app_id="):
        check_folder(tmp_path, settings, again)


@pytest.mark.parametrize(("ahead_s", "word"), [(0.0, None), (7_200.0, "ahead")])
async def test_clock_is_compared_with_that_of_the_broker(
    kafka_address: str, new_topic: Callable[..., str], ahead_s: float, word: str | None
) -> None:
    topic = new_topic("changelog", config={"message.timestamp.type": "LogAppendTime"})
    clock = ClockCheck(60.0, lambda: time.time() + ahead_s)
    producer = Producer({"bootstrap.servers": kafka_address})
    producer.produce(topic, b"", b"", on_delivery=lambda _, message: clock.look(message))
    assert producer.flush(TIMEOUT_S) == 0
    assert clock.skew_s is not None
    if word is None:
        clock.raise_if_far_off()
        return
    with pytest.raises(ClockError, match=word):
        clock.raise_if_far_off()


@pytest.mark.parametrize("metadata", ["", "not ours", "[1]", '{"other": "tool"}'])
def test_offsets_committed_by_other_tools_contradict_nothing(
    new_settings: NewSettings, metadata: str
) -> None:
    settings = new_settings()
    commit(settings, metadata)
    check_committed(settings, read_identity(settings))


@pytest.mark.parametrize(("key", "owner"), [("app_id", "application"), ("kafka", "Kafka cluster")])
def test_state_folder_of_another_is_refused(tmp_path: Path, key: str, owner: str) -> None:
    ours = dict.fromkeys(("app_id", "kafka", *TOPICS), "ours")
    check_folder(tmp_path, Settings(), ours)
    check_folder(tmp_path, Settings(), ours)
    with pytest.raises(StateError, match=rf"{owner}.*worker\.state_dir=FOLDER.*rm -r"):
        check_folder(tmp_path, Settings(), ours | {key: "theirs"})
    assert json.loads((tmp_path / FILE_NAME).read_text()) == ours


def test_state_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("?")
    with pytest.raises(StateError, match="rm -r"):
        check_folder(tmp_path, Settings(), {"app_id": "a"})
