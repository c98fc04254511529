"""The broker that the tests start themselves survives kills and says what it lacks."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from tests.kafka import broker_jars, conftest
from tests.kafka.broker_jars import BrokerUnavailableError
from tests.kafka.broker_settings import NodeAddress, container_environment, node_settings
from tests.kafka.local_broker import LocalCluster, admin_client
from tests.kafka.local_node import BrokerFailedError

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 30


def new_cluster(folder: Path | None = None) -> LocalCluster:
    """Return a cluster of the test's own, or do as without a real Kafka where it cannot run."""
    try:
        return LocalCluster(folder=folder)
    except BrokerUnavailableError as missing:
        conftest.do_without_kafka(str(missing))


def write(address: str, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all", "log_level": 0})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(TIMEOUT_S) == 0


def read(address: str, topic: str, n_records: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = [message.value() for message in consumer.consume(n_records, TIMEOUT_S)]
    consumer.close()
    return values


def test_acknowledged_records_survive_a_kill() -> None:
    with new_cluster() as cluster:
        admin = admin_client(cluster.bootstrap)
        admin.create_topics([NewTopic("kept", 1)])["kept"].result(TIMEOUT_S)
        write(cluster.bootstrap, "kept", [b"1", b"2"])
        cluster.nodes[0].kill()
        cluster.nodes[0].start()
        cluster.wait_until_ready()
        write(cluster.bootstrap, "kept", [b"3"])
        assert read(cluster.bootstrap, "kept", 3) == [b"1", b"2", b"3"]


def test_a_node_that_ends_by_itself_is_reported_with_its_log(tmp_path: Path) -> None:
    cluster = new_cluster(tmp_path)
    cluster.nodes[0].folder.mkdir()
    cluster.nodes[0].start()  # without having been formatted
    with pytest.raises(BrokerFailedError, match=r"(?s)node 1 ended.*server\.properties"):
        cluster.wait_until_ready()


def test_the_command_prints_an_address_and_stops_on_sigterm() -> None:
    command = [sys.executable, "-m", "tests.kafka.local_broker"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    address = process.stdout.readline().decode().strip()
    if not address:
        conftest.do_without_kafka(process.communicate()[1].decode())
    assert admin_client(address).list_topics(timeout=TIMEOUT_S).brokers
    process.terminate()
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0


def test_a_container_gets_the_settings_as_variables() -> None:
    address = NodeAddress(1, 9092, 9093)
    environment = container_environment(node_settings(address, [address], "data"))
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_three_nodes_replicate_and_one_does_not() -> None:
    nodes = [NodeAddress(node_id, 9000 + node_id, 9100 + node_id) for node_id in (1, 2, 3)]
    three, one = node_settings(nodes[0], nodes, "d"), node_settings(nodes[0], nodes[:1], "d")
    assert (three["default.replication.factor"], three["min.insync.replicas"]) == ("3", "2")
    assert (one["default.replication.factor"], one["min.insync.replicas"]) == ("1", "1")


def test_missing_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(BrokerUnavailableError, match="no java found; install"):
        broker_jars.find_java()


def test_old_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(BrokerUnavailableError, match=r"is Java 8; .* needs Java >= 17"):
        broker_jars.find_java()


def test_missing_maven_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerUnavailableError, match="no mvn found; install"):
        broker_jars.fetch_jars()


@pytest.mark.parametrize(
    ("required", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)]
)
def test_without_kafka_tests_skip_and_fail_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("STREAM_REC_REQUIRE_KAFKA", required)
    with pytest.raises(outcome, match="no java found"):
        conftest.do_without_kafka("no java found")


def test_the_first_broker_that_applies_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: contextlib.ExitStack) -> str:
        raise BrokerUnavailableError("not here")

    def found(_: contextlib.ExitStack) -> str:
        return "found:9092"

    choices: list[Callable[[contextlib.ExitStack], str]] = [missing, found]
    monkeypatch.delenv("STREAM_REC_TEST_KAFKA", raising=False)
    monkeypatch.setattr(conftest, "STARTERS", choices)
    with contextlib.ExitStack() as stack:
        assert conftest.start_first_available(stack) == "found:9092"
        monkeypatch.setenv("STREAM_REC_TEST_KAFKA", "given:9092")
        assert conftest.start_first_available(stack) == "given:9092"
