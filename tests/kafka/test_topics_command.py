"""``stream-rec topics`` against a real Kafka: it creates, finds what is wrong, and mends it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from stream_rec.cli.main import cli

TIMEOUT_S = 30

Topics = Callable[..., Result]


@pytest.fixture
def prefix(kafka_admin: AdminClient) -> Iterator[str]:
    """A prefix of topics of this test's own, which are deleted at its end."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    yield prefix
    mine = [name for name in kafka_admin.list_topics(timeout=TIMEOUT_S).topics if prefix in name]
    for answer in kafka_admin.delete_topics(mine).values() if mine else ():
        answer.result(TIMEOUT_S)


@pytest.fixture
def topics(kafka_address: str, prefix: str) -> Topics:
    """Run ``stream-rec topics`` with three partitions and names of this test's own."""
    settings = {"kafka.broker": kafka_address, "app_id": prefix, "topics.partitions": "3"}
    settings |= {
        f"topics.{name}": f"{prefix}-{name}" for name in ("events", "recommendations", "dlq")
    }
    given = [argument for pair in settings.items() for argument in ("--set", "=".join(pair))]

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, [*given, "topics", *arguments])

    return run


def set_config(admin: AdminClient, topic: str, key: str, value: str) -> None:
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(TIMEOUT_S)


def test_create_makes_what_check_expects(topics: Topics, prefix: str) -> None:
    missing = topics("check")
    assert missing.exit_code == 1
    assert f"{prefix}-events: expected the topic to exist, found none" in missing.stderr
    created = topics("create")
    assert created.exit_code == 0, created.output
    assert f"created {prefix}-items-changelog: 3 partitions, compact" in created.output
    assert topics("check").output == "all 5 topics are as they should be\n"


def test_create_again_changes_nothing(topics: Topics, prefix: str) -> None:
    topics("create")
    again = topics("create")
    assert again.exit_code == 0
    assert f"{prefix}-events is there already\n" in again.output
    assert "created" not in again.output


def test_wrong_policy_is_found_and_mended(
    topics: Topics, prefix: str, kafka_admin: AdminClient
) -> None:
    topics("create")
    set_config(kafka_admin, f"{prefix}-recommendations", "cleanup.policy", "delete")
    found = topics("check")
    assert found.exit_code == 1
    assert found.stderr == (
        f"{prefix}-recommendations: expected cleanup.policy compact, found delete\n"
        "  to mend it: stream-rec topics create --alter\n"
    )
    assert topics("create").exit_code == 1
    assert topics("create", "--alter").exit_code == 0
    assert topics("check").exit_code == 0


def test_wrong_partitions_are_told_and_left_alone(topics: Topics, prefix: str) -> None:
    topics("create")
    found = topics("check", "--set", "topics.partitions=4")
    assert found.exit_code == 1
    assert f"{prefix}-events: expected partitions 4, found 3" in found.stderr
    assert "--set topics.partitions=3" in found.stderr
    assert topics("create", "--alter", "--set", "topics.partitions=4").exit_code == 1
    assert topics("check").exit_code == 0


def test_too_many_replicas_are_refused_in_one_message(topics: Topics, prefix: str) -> None:
    refused = topics("create", "--set", "topics.replication_factor=99")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: cannot create {prefix}-events: ")
    assert len(refused.stderr.splitlines()) == 1
