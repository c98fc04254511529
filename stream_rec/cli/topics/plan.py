"""What the topics should be, and what is wrong with those that are there (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stream_rec.config import TopicSettings


class TopicPlan(NamedTuple):
    """One topic as it should be."""

    name: str
    partitions: int
    replication_factor: int
    config: dict[str, str]


class FoundTopic(NamedTuple):
    """One topic as it is, with its effective configuration."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str]


class Problem(NamedTuple):
    """What is wrong with a topic, and the command or the setting that mends it."""

    topic: str
    what: str
    expected: str
    found: str
    mend: str

    def __str__(self) -> str:
        """Tell it in one line for a person."""
        return f"{self.topic}: expected {self.what} {self.expected}, found {self.found}"


MEND_MISSING = "stream-rec topics create"
MEND_CONFIG = "stream-rec topics create --alter"


def plan_topics(topics: TopicSettings) -> list[TopicPlan]:
    """Plan the five topics: two that pass by, three that are compacted."""
    durable = {"min.insync.replicas": str(topics.min_insync_replicas)}
    passing = durable | {"cleanup.policy": "delete"}
    compacted = durable | {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(topics.min_compaction_lag_ms),
    }
    # Kafka's own time on changelogs shows a worker whether its clock is right (clock_check.py).
    changelog = compacted | {"message.timestamp.type": "LogAppendTime"}
    configs = {
        topics.events: passing,
        topics.dlq: passing,
        topics.recommendations: compacted,
        topics.items_changelog: changelog,
        topics.profiles_changelog: changelog,
    }
    return [
        TopicPlan(name, topics.partitions, topics.replication_factor, config)
        for name, config in configs.items()
    ]


def find_problems(plan: TopicPlan, found: FoundTopic | None) -> list[Problem]:
    """Compare a topic with its plan."""
    if found is None:
        return [Problem(plan.name, "the topic", "to exist", "none", MEND_MISSING)]
    problems = []
    if found.partitions != plan.partitions:
        mend = (
            f"use what is there: --set topics.partitions={found.partitions}; or delete the topic "
            f"and run `{MEND_MISSING}` (partitions of a topic in use cannot be changed: its users "
            "would move)"
        )
        expected, actual = str(plan.partitions), str(found.partitions)
        problems.append(Problem(plan.name, "partitions", expected, actual, mend))
    if found.replication_factor < plan.replication_factor:
        expected, actual = f"≥ {plan.replication_factor}", str(found.replication_factor)
        mend = "kafka-reassign-partitions.sh (Kafka's own tool adds replicas)"
        problems.append(Problem(plan.name, "replication factor", expected, actual, mend))
    for key, expected in plan.config.items():
        actual = found.config.get(key, "nothing")
        if actual != expected:
            problems.append(Problem(plan.name, key, expected, actual, MEND_CONFIG))
    return problems
