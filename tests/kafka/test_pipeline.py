"""The pipeline on a real Kafka, as an operator runs it: topics, worker, events in, lists out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import Message, Producer
from jsonschema import Draft202012Validator

from stream_rec.config import EventSettings
from tests.stream.topics import read_all, wait_for_messages
from tests.test_messages import MADE_EXAMPLES, REFUSED_ALONE, schema, strict

ROOT = Path(__file__).parents[2]
N_EVENTS = 300
N_USERS = 12
N_ITEMS = 40
N_PARTITIONS = 4
STOP_TIMEOUT_S = 5
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(600)  # the first test may have to compile the kernels

Headers = list[tuple[str, bytes]]
NO_TYPE = b'{"user": "ann", "item": "a", "type": "sneeze"}'
VALUE_BYTES_MAX = EventSettings().value_bytes_max
WHOLE_BYTES_MIN = 990_000
"""So much of a value goes out whole in any case."""
OWN_HEADERS: Headers = [("trace", b"\x00\xff")]


class SentRecord(NamedTuple):
    """A record on the events topic, and the code it deserves (None: a list)."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    code: str | None


class Outcome(NamedTuple):
    """All that went in and came out of one worker."""

    sent: list[SentRecord]
    lists: list[Message]
    dead_letters: list[Message]
    stop_status: int


def good_events() -> list[tuple[bytes, bytes]]:
    events = []
    for number in range(N_EVENTS):
        user, item = f"user-{number % N_USERS}", f"item-{number * 7 % N_ITEMS}"
        event = {"user": user, "item": item, "type": "click", "event_id": number}
        events.append((user.encode(), json.dumps(event).encode()))
    return events


def bad_events() -> list[tuple[str, bytes | None, bytes | None]]:
    """Return code, key and value of every documented refusal, and of one as large as may be."""
    return [
        *(
            (code, *((b"ann", text.encode()) if text else MADE_EXAMPLES[code]))
            for code, text in REFUSED_ALONE
        ),
        ("unknown_type", b"ann", NO_TYPE + b" " * (VALUE_BYTES_MAX - len(NO_TYPE))),
    ]


def send_all(broker: str, topic: str) -> list[SentRecord]:
    """Produce the events, bad ones among the good ones, and return where each of them landed."""
    producer = Producer(
        {
            "bootstrap.servers": broker,
            "partitioner": "murmur2_random",
            "message.max.bytes": 2_000_000,
        }
    )
    sent = []

    def send(code: str | None, key: bytes | None, value: bytes | None) -> None:
        def delivered(error: object, message: Message) -> None:
            assert error is None
            sent.append(SentRecord(message.partition(), message.offset(), key, value, code))

        producer.produce(topic, value, key, headers=OWN_HEADERS, on_delivery=delivered)
        producer.poll(0)

    bad = bad_events()
    for number, (key, value) in enumerate(good_events()):
        send(None, key, value)
        if number < len(bad):
            send(*bad[number])
    assert producer.flush(TIMEOUT_S) == 0
    return sent


def environment(broker: str, state: Path, prefix: str) -> dict[str, str]:
    return os.environ | {
        "STREAM_REC_APP_ID": prefix,
        "STREAM_REC_KAFKA__BROKER": broker,
        "STREAM_REC_TOPICS__EVENTS": f"{prefix}-events",
        "STREAM_REC_TOPICS__RECOMMENDATIONS": f"{prefix}-recommendations",
        "STREAM_REC_TOPICS__DLQ": f"{prefix}-dlq",
        "STREAM_REC_TOPICS__PARTITIONS": str(N_PARTITIONS),
        "STREAM_REC_WORKER__STATE_DIR": str(state),
    }


@pytest.fixture(scope="module")
def outcome(kafka_address: str, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    prefix = f"pipeline-{uuid.uuid4().hex[:8]}"
    variables = environment(kafka_address, tmp_path_factory.mktemp("state"), prefix)
    command = [sys.executable, "-m", "stream_rec"]
    for task in (["compile"], ["topics", "create"]):
        subprocess.run([*command, *task], env=variables, cwd=ROOT, check=True)
    sent = send_all(kafka_address, f"{prefix}-events")
    worker = subprocess.Popen([*command, "worker"], env=variables, cwd=ROOT)
    try:
        n_bad = sum(record.code is not None for record in sent)
        wait_for_messages(kafka_address, f"{prefix}-recommendations", len(sent) - n_bad)
        wait_for_messages(kafka_address, f"{prefix}-dlq", n_bad)
        worker.send_signal(signal.SIGTERM)
        status = worker.wait(STOP_TIMEOUT_S)
    finally:
        worker.kill()
        worker.wait()
    lists = read_all(kafka_address, f"{prefix}-recommendations")
    return Outcome(sent, lists, read_all(kafka_address, f"{prefix}-dlq"), status)


def test_every_good_event_has_one_list(outcome: Outcome) -> None:
    sources = [json.loads(message.value())["source"] for message in outcome.lists]
    listed = Counter((source["partition"], source["offset"]) for source in sources)
    assert listed == Counter(
        (record.partition, record.offset) for record in outcome.sent if record.code is None
    )


def test_lists_follow_the_schema_and_carry_their_headers(outcome: Outcome) -> None:
    values = Draft202012Validator(strict(schema("recommendations")))
    headers = Draft202012Validator(strict(schema("recommendations-headers")))
    for message in outcome.lists:
        value = json.loads(message.value())
        values.validate(value)
        headers.validate({name: text.decode() for name, text in message.headers()})
        assert message.key().decode() == value["user"]


def test_users_with_known_items_around_get_full_lists(outcome: Outcome) -> None:
    last = json.loads(max(outcome.lists, key=lambda message: message.timestamp()).value())
    assert len(last["items"]) == 10


def test_every_bad_event_is_a_dead_letter_untouched_but_the_largest(outcome: Outcome) -> None:
    bad = {(r.partition, r.offset): r for r in outcome.sent if r.code is not None}
    cut = []
    for message in outcome.dead_letters:
        headers = dict(message.headers())
        place = int(headers["dlq-source-partition"]), int(headers["dlq-source-offset"])
        record, value = bad.pop(place), message.value()
        assert message.key() == record.key
        assert message.headers()[: len(OWN_HEADERS)] == OWN_HEADERS
        if "dlq-cut" in headers:
            cut.append((headers["dlq-cut"], len(value) > WHOLE_BYTES_MIN))
            assert record.value is not None
            value = record.value if record.value.startswith(value) else value
        assert value == record.value
    assert (bad, cut) == ({}, [(b"value", True)] * 2)


def test_dead_letters_say_why_and_whence(outcome: Outcome) -> None:
    validator = Draft202012Validator(strict(schema("dlq-headers")))
    expected = {(r.partition, r.offset): r.code for r in outcome.sent if r.code is not None}
    found = {}
    for message in outcome.dead_letters:
        added = message.headers()[len(OWN_HEADERS) :]
        headers = {name: text.decode() for name, text in added}
        validator.validate(headers)
        place = int(headers["dlq-source-partition"]), int(headers["dlq-source-offset"])
        found[place] = headers["dlq-code"]
    assert found == expected


def test_a_worker_told_to_stop_ends_in_time_and_well(outcome: Outcome) -> None:
    assert outcome.stop_status == 0
