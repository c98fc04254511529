"""Ask and tell Kafka about topics, through confluent-kafka's admin client."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from stream_rec.cli.reader import unreachable
from stream_rec.cli.topics.plan import FoundTopic, TopicPlan
from stream_rec.config import KafkaSettings
from stream_rec.errors import TopicError
from stream_rec.kafka_clients import confluent_config

TIMEOUT_S = 15.0
POLL_INTERVAL_S = 0.1


class TopicAdmin:
    """Topics of one Kafka."""

    def __init__(self, kafka: KafkaSettings) -> None:
        if kafka.embedded:
            raise TopicError(
                "expected a real Kafka, came the embedded broker: it creates its topics when it "
                "starts and knows no compaction; there is nothing to create or to check"
            )
        self._kafka = kafka
        self._client = AdminClient(confluent_config(kafka, log_level=0))

    def find(self, names: Sequence[str]) -> dict[str, FoundTopic]:
        """Return those of the topics that exist."""
        try:
            # All topics are listed: to ask for one by name could create it.
            metadata = self._client.list_topics(timeout=TIMEOUT_S).topics
            existing = [name for name in names if name in metadata]
            if not existing:  # describe_configs refuses an empty list
                return {}
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in existing]
            answers = self._client.describe_configs(resources, request_timeout=TIMEOUT_S)
            configs = {
                resource.name: {key: entry.value for key, entry in future.result().items()}
                for resource, future in answers.items()
            }
        except KafkaException as error:
            raise unreachable(self._kafka, error) from None
        return {
            name: FoundTopic(
                len(metadata[name].partitions),
                min(len(partition.replicas) for partition in metadata[name].partitions.values()),
                configs[name],
            )
            for name in existing
        }

    def create(self, plan: TopicPlan) -> None:
        """Create a topic."""
        topic = NewTopic(
            plan.name, plan.partitions, plan.replication_factor, config=dict(plan.config)
        )
        future = self._client.create_topics([topic], request_timeout=TIMEOUT_S)[plan.name]
        try:
            future.result()
        except KafkaException as error:
            raise TopicError(f"cannot create {plan.name}: {error.args[0].str()}") from None

    def wait_until_found(self, names: Sequence[str]) -> None:
        """Wait until every broker that is asked knows of topics that were just created."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while len(self.find(names)) < len(names):
            if time.monotonic() > deadline_s:
                raise TopicError(f"expected the new topics to be found within {TIMEOUT_S:g} s")
            time.sleep(POLL_INTERVAL_S)

    def alter_config(self, plan: TopicPlan) -> None:
        """Set a topic's configuration; partitions and replicas stay as they are."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in plan.config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, plan.name, incremental_configs=entries)
        answers = self._client.incremental_alter_configs([resource], request_timeout=TIMEOUT_S)
        try:
            answers[resource].result()
        except KafkaException as error:
            raise TopicError(f"cannot configure {plan.name}: {error.args[0].str()}") from None
