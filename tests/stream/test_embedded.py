"""The embedded broker: topics as asked for, and never longer there than its parent."""

from __future__ import annotations

import subprocess
import sys

import pytest
from confluent_kafka.admin import AdminClient

from stream_rec.stream.embedded import EmbeddedBroker, EmbeddedBrokerError


def test_topics_have_the_partitions_asked_for(broker: EmbeddedBroker) -> None:
    topics = AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=10).topics
    assert {name: len(topic.partitions) for name, topic in topics.items()} == {"one": 1, "many": 3}


def test_impossible_topic_is_an_error() -> None:
    with pytest.raises(EmbeddedBrokerError, match="exit status 2"):
        EmbeddedBroker({"../no topic name": 0}).start()


def test_broker_ends_with_its_parent() -> None:
    parent = (
        "from stream_rec.stream.embedded import EmbeddedBroker; import os, sys\n"
        "broker = EmbeddedBroker({'t': 1}); broker.start()\n"
        "print(broker._process.pid, flush=True); sys.stdin.read(1); os._exit(9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        broker_pid = int(process.stdout.readline())
        process.stdin.write("x")
        process.stdin.flush()
        assert process.wait(30) == 9
        # The broker's output is this pipe too: it ends when the broker has ended.
        assert process.stdout.read() == ""
    assert broker_pid > 0
