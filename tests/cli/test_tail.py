"""Laws of ``stream-rec tail`` on the embedded broker: which lists, and in which form."""

import json

import pytest
from confluent_kafka import Producer

from stream_rec.config import KafkaSettings
from stream_rec.kafka_clients import confluent_producer_config
from stream_rec.stream.embedded import EmbeddedBroker


def message(user: str, offset: int) -> bytes:
    reasons = [{"source": "taken_next", "because": "alien"}]
    items = [{"item": "heat", "score": 1.25, "reasons": reasons}]
    source = {"topic": "events", "partition": 0, "offset": offset, "ts": 1.0}
    return json.dumps({"user": user, "items": items, "source": source}).encode()


@pytest.fixture(scope="module")
def broker():
    """Start an embedded broker with two lists of ann, one of bob, and cem forgotten."""
    with EmbeddedBroker({"recommendations": 2}) as broker:
        producer = Producer(confluent_producer_config(KafkaSettings(broker=broker.address)))
        for offset, user in enumerate(("ann", "bob", "ann")):
            producer.produce("recommendations", message(user, offset), user.encode(), partition=0)
        producer.produce("recommendations", None, b"cem", partition=0)
        assert producer.flush(30) == 0
        yield broker


@pytest.fixture
def tail(stream_rec, broker):
    def run(*arguments: str):
        here = (f"--set=kafka.broker={broker.address}", "--set=kafka.embedded=true")
        result = stream_rec(*here, "tail", "--from-beginning", *arguments)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_json_is_the_messages_as_they_are(tail):
    assert tail("--json", "--limit", "2") == (
        f"{message('ann', 0).decode()}\n{message('bob', 1).decode()}\n"
    )


def test_user_chooses_the_lists(tail):
    lines = tail("--json", "--user", "ann", "--limit", "2").splitlines()
    assert [json.loads(line)["source"]["offset"] for line in lines] == [0, 2]


def test_readable_form_names_user_event_items_and_reasons(tail):
    first, second = tail("--limit", "1").splitlines()
    assert first.endswith("  user ann  after events[0]@0")
    assert second == "   1. heat  1.250  taken_next because of alien"


def test_forgotten_user_is_told(tail):
    assert tail("--user", "cem", "--limit", "1") == "user cem: forgotten\n"


def test_embedded_broker_needs_an_address(stream_rec):
    result = stream_rec("tail", "--set", "kafka.broker=embedded")
    assert result.exit_code == 2
    assert "stream-rec demo" in result.stderr
