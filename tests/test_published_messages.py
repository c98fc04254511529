"""What the engine publishes follows the published schema, whatever the ids are made of."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.runs import Run, RunResult
from tests.test_messages import schema, strict

USERS = ["ann", 'quote"back\\slash', "tab\there", "名前", "17"]
ITEMS = [*(f"item-{n}" for n in range(12)), 'a"b', "newline\n", "\u2028", "émoji 🎬"]
RECORDED_MS = 1_714_557_600_000
GENERATED_MS = 1_714_557_600_123


class FakeRecord(NamedTuple):
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


def record_at(offset: int) -> FakeRecord:
    user = USERS[offset % len(USERS)]
    item = ITEMS[offset * 7 % len(ITEMS)]
    event = {"user": user, "item": item, "type": "click", "event_id": offset}
    return FakeRecord(offset, user.encode(), json.dumps(event).encode(), RECORDED_MS + offset)


@pytest.fixture(scope="module")
def result() -> RunResult:
    engine = Engine(ModelSettings(), EventSettings(), source_topic="events", n_partitions=8)
    engine.open_partition(3)
    return engine.process([Run(3, [record_at(offset) for offset in range(40)])], GENERATED_MS)[0]


def test_published_lists_follow_the_schema(result: RunResult) -> None:
    validator = Draft202012Validator(strict(schema("recommendations")))
    assert len(result.published) == 40
    for published in result.published:
        validator.validate(json.loads(published.value))


def test_published_lists_name_their_event(result: RunResult) -> None:
    for offset, published in enumerate(result.published):
        message = json.loads(published.value)
        assert published.offset == offset
        assert published.key.decode() == message["user"] == USERS[offset % len(USERS)]
        assert message["generated_at"] == GENERATED_MS
        assert message["source"] == {
            "topic": "events",
            "partition": 3,
            "offset": offset,
            "ts": pytest.approx((RECORDED_MS + offset) / 1000, abs=0.001),
        }


def test_published_lists_hold_known_items_best_first(result: RunResult) -> None:
    lists = [json.loads(published.value)["items"] for published in result.published]
    assert sum(map(len, lists)) > 0
    for items in lists:
        assert {entry["item"] for entry in items} <= set(ITEMS)
        assert all(first["score"] >= second["score"] for first, second in pairwise(items))
