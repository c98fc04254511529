"""One real Apache Kafka for the session: `kafka_address`, and topics of a test's own: `new_topic`.

The first that applies:
1. the address in ``STREAM_REC_TEST_KAFKA`` (the tests create topics with random names there);
2. a container, where a Docker engine answers;
3. the broker from its Maven artifacts, where Java 17 and mvn are.
Where none applies the tests that need it skip and say why; they fail instead where
``STREAM_REC_REQUIRE_KAFKA=1`` is set.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.kafka.broker_jars import BrokerUnavailableError
from tests.kafka.local_broker import LocalCluster, admin_client
from tests.requirements import do_without

ADMIN_TIMEOUT_S = 30


@pytest.fixture(scope="session")
def kafka_address() -> Iterator[str]:
    """``host:port`` of a real Apache Kafka."""
    with contextlib.ExitStack() as stack:
        yield start_first_available(stack)


@pytest.fixture(scope="session")
def kafka_admin(kafka_address: str) -> AdminClient:
    """An admin client of the real Apache Kafka."""
    return admin_client(kafka_address)


@pytest.fixture
def new_topic(kafka_admin: AdminClient) -> Iterator[Callable[..., str]]:
    """A function that creates a topic under a random name and returns the name.

    ``new_topic("events", partitions=4, config={"cleanup.policy": "compact"})``
    """
    created: list[str] = []

    def create(prefix: str = "topic", partitions: int = 1, **options: Any) -> str:
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        create_topic(kafka_admin, NewTopic(name, partitions, **options))
        created.append(name)
        return name

    yield create
    for answer in kafka_admin.delete_topics(created).values() if created else ():
        answer.result(ADMIN_TIMEOUT_S)


def create_topic(admin: AdminClient, topic: NewTopic) -> None:
    """Create a topic and wait until the broker tells of it, a moment after it has agreed."""
    admin.create_topics([topic])[topic.topic].result(ADMIN_TIMEOUT_S)
    while not is_listed(admin, topic.topic):
        pass


def is_listed(admin: AdminClient, name: str) -> bool:
    """Whether the broker tells of a topic, with leaders for its partitions."""
    topic = admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics.get(name)
    return topic is not None and all(p.leader >= 0 for p in topic.partitions.values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the ``kafka`` mark to every test that uses the broker."""
    for item in items:
        if "kafka_address" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)


def start_first_available(stack: contextlib.ExitStack) -> str:
    """Return the address of the first Kafka that applies; what was started ends with `stack`."""
    address = os.environ.get("STREAM_REC_TEST_KAFKA", "")
    reasons = []
    for start in () if address else STARTERS:
        try:
            return start(stack)
        except BrokerUnavailableError as missing:
            reasons.append(str(missing))
    return address or do_without_kafka("; ".join(reasons))


def do_without_kafka(reason: str) -> NoReturn:
    """Skip the test that needs a real Kafka, or fail it where one is required."""
    do_without("kafka", f"no real Kafka here: STREAM_REC_TEST_KAFKA is not set; {reason}")


def _start_container(stack: contextlib.ExitStack) -> str:
    from tests.kafka.container_broker import container_broker  # imports Docker's client: slow

    return stack.enter_context(container_broker())


def _start_local(stack: contextlib.ExitStack) -> str:
    return stack.enter_context(LocalCluster()).bootstrap


STARTERS: list[Callable[[contextlib.ExitStack], str]] = [_start_container, _start_local]
