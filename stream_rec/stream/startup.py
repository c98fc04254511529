"""What must be true before a worker joins its group: Kafka answers, and the topics fit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import confluent_kafka
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from stream_rec.errors import TopicError
from stream_rec.kafka_clients import confluent_config, confluent_reader_config
from stream_rec.settings import Settings, TopicSettings
from stream_rec.stream.asking import ask
from stream_rec.stream.plan import REBUILD

ATTEMPT_TIMEOUT_S = 2.0
CONFIG_TIMEOUT_S = 10.0
WAIT_FOR_KAFKA_S = 60.0
MEND = "run `stream-rec topics create`, then `stream-rec topics check`"


async def check_topics(settings: Settings, wait_for_kafka_s: float = WAIT_FOR_KAFKA_S) -> int:
    """Wait for Kafka, check the topics, and return the number of partitions of events.

    Parameters
    ----------
    settings : Settings
        Of the worker.
    wait_for_kafka_s : float
        How long to go on asking when no broker answers.

    Raises
    ------
    KafkaUnreachableError
        No broker answered in time.
    TopicError
        A topic is missing, or does not fit the others.
    """
    return await asyncio.to_thread(_check_topics, settings, wait_for_kafka_s)


def _check_topics(settings: Settings, wait_for_kafka_s: float) -> int:
    client = AdminClient(confluent_config(settings.kafka) | {"log_level": 0})
    topics, broker = settings.topics, settings.kafka.broker
    n_partitions = ask(lambda: _count_partitions(client), broker, wait_for_kafka_s)
    missing = [name for name in topics.names if name not in n_partitions]
    if missing:
        raise TopicError(f"expected the topics {', '.join(missing)}, came none; {MEND}")
    _check_partitions(settings, n_partitions)
    if not settings.kafka.embedded:
        ask(lambda: _check_compaction(client, topics), broker, wait_for_kafka_s)
    return n_partitions[topics.events]


def _count_partitions(client: AdminClient) -> dict[str, int]:
    listed = client.list_topics(timeout=ATTEMPT_TIMEOUT_S)
    return {name: len(topic.partitions) for name, topic in listed.topics.items()}


def _check_partitions(settings: Settings, n_partitions: Mapping[str, int]) -> None:
    topics, broker = settings.topics, settings.kafka.broker
    expected = n_partitions[topics.events]
    for name in (topics.items_changelog, topics.profiles_changelog, topics.recommendations):
        if n_partitions[name] == expected:
            continue
        if name != topics.recommendations and _holds_records(settings, name, n_partitions[name]):
            mend = (
                "and the model is in it, so leave it, and rebuild the model in as many partitions "
                f"with --set topics.partitions={expected} under another name: {REBUILD}"
            )
        else:
            mend = (
                f"delete it with `kafka-topics.sh --bootstrap-server {broker} --delete --topic "
                f"{name}`, then run `stream-rec topics create --set topics.partitions={expected}`"
            )
        raise TopicError(
            f"expected {name} to have as many partitions as {topics.events} ({expected}), came "
            f"{n_partitions[name]}: rows and lists of a user would be in two places; {mend}"
        )


def _holds_records(settings: Settings, topic: str, n_partitions: int) -> bool:
    """Say whether anything was ever written to a topic."""
    client = confluent_kafka.Consumer(confluent_reader_config(settings.kafka, log_level=0))

    def end(partition: int) -> int:
        where = confluent_kafka.TopicPartition(topic, partition)
        return int(client.get_watermark_offsets(where, ATTEMPT_TIMEOUT_S, cached=False)[1])

    try:
        return ask(
            lambda: any(end(partition) > 0 for partition in range(n_partitions)),
            *(settings.kafka.broker, settings.kafka.request_timeout_s),
        )
    finally:
        client.close()


def _check_compaction(client: AdminClient, topics: TopicSettings) -> None:
    compacted = (topics.items_changelog, topics.profiles_changelog, topics.recommendations)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in (*compacted, topics.events)]
    for resource, answer in client.describe_configs(
        resources, request_timeout=CONFIG_TIMEOUT_S
    ).items():
        policy = answer.result()["cleanup.policy"].value
        if resource.name in compacted and policy != "compact":
            raise TopicError(
                f"expected {resource.name} to have cleanup.policy = compact, came {policy}: it "
                "would forget; run `stream-rec topics create --alter`"
            )
        if resource.name == topics.events and "compact" in policy:
            raise TopicError(
                f"expected {resource.name} to have cleanup.policy = delete, came {policy}: events "
                "that wait would be lost, all but the last of a user; run `stream-rec topics "
                "create --alter`"
            )
