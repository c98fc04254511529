"""The bound on items: who is refused depends on the log alone, and memory stays bounded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.errors import InvalidEventError
from stream_rec.model.engine import Engine
from stream_rec.model.runs import Run
from stream_rec.recommender import Recommender
from tests.model.logs import FakeRecord

ITEMS_MAX = 4


def opened(n_partitions: int = 1) -> Engine:
    model = ModelSettings(items_per_partition_max=ITEMS_MAX)
    engine = Engine(model, EventSettings(), source_topic="events", n_partitions=n_partitions)
    for partition in range(n_partitions):
        engine.open_partition(partition)
    return engine


def record(
    offset: int, item: str, *, kind: str = "click", event_id: str | None = None
) -> FakeRecord:
    event = {"user": "ann", "item": item, "type": kind, "ts": 1_000 + offset}
    if event_id is not None:
        event["event_id"] = event_id
    return FakeRecord(offset, b"ann", json.dumps(event).encode(), 1_000_000)


def refused_offsets(engine: Engine, records: list[FakeRecord], partition: int = 0) -> list[int]:
    result = engine.process([Run(partition, records)], 0)[0]
    assert {refused.code for refused in result.refused} <= {"too_many_items"}
    assert result.refused == sorted(result.refused)
    return [records[refused.place].offset for refused in result.refused]


def test_events_with_items_beyond_the_limit_are_refused_and_known_ones_go_on() -> None:
    engine = opened()
    texts = ["a", "b", "c", "d", "e", "a", "f", "d"]
    records = [record(offset, text) for offset, text in enumerate(texts)]
    result = engine.process([Run(0, records)], 0)[0]
    assert [refused.place for refused in result.refused] == [4, 6]
    assert "model.items_per_partition_max" in result.refused[0].reason
    assert [published.offset for published in result.published] == [0, 1, 2, 3, 5, 7]
    assert len(engine.items.ids) == ITEMS_MAX


KINDS = st.sampled_from(["click", "dislike", "repeated"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), KINDS), min_size=1, max_size=24),
    st.lists(st.integers(1, 24), max_size=6),
)
def test_what_is_refused_does_not_depend_on_batches(
    events: list[tuple[int, str]], cuts: list[int]
) -> None:
    """An event that repeats an id is dropped, so its item is not seen: it must not take up room."""
    records = [
        record(
            offset,
            f"i{item}",
            kind="dislike" if kind == "dislike" else "click",
            event_id="same" if kind == "repeated" else None,
        )
        for offset, (item, kind) in enumerate(events)
    ]
    one_by_one = opened()
    expected = [x for r in records for x in refused_offsets(one_by_one, [r])]
    in_batches = opened()
    came: list[int] = []
    for first, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(records)], strict=True):
        came += refused_offsets(in_batches, records[first:end])
    assert came == expected
    assert in_batches.item_limit.n_seen(0) <= ITEMS_MAX


def test_replay_over_rows_that_ran_ahead_refuses_the_same() -> None:
    texts = ["a", "b", "a", "c", "d", "e", "d", "f"]
    records = [record(offset, text) for offset, text in enumerate(texts)]
    engine = opened()
    expected = refused_offsets(engine, records)
    rows = engine.freeze(0).items
    for watermark in range(-1, len(records)):
        successor = opened()
        successor.open_partition(0, rows, watermark)
        came = refused_offsets(successor, records[watermark + 1 :])
        assert came == [offset for offset in expected if offset > watermark]


def test_each_partition_has_its_own_limit() -> None:
    engine = opened(n_partitions=2)
    first = [record(offset, f"i{offset}") for offset in range(ITEMS_MAX + 1)]
    assert refused_offsets(engine, first, partition=0) == [ITEMS_MAX]
    assert refused_offsets(engine, first, partition=1) == [ITEMS_MAX]


def test_made_up_items_take_no_memory_once_the_partition_is_full() -> None:
    engine = opened()
    engine.process([Run(0, [record(offset, f"i{offset}") for offset in range(ITEMS_MAX)])], 0)
    size, marks = engine.items.size, engine.reading().workspace.marks
    result = engine.process([Run(0, [record(x, f"j{x}") for x in range(ITEMS_MAX, 3_000)])], 0)[0]
    assert len(result.refused) == 3_000 - ITEMS_MAX
    assert engine.items.size == size
    assert len(engine.items.ids) == ITEMS_MAX
    assert np.shares_memory(engine.reading().workspace.marks, marks)


def test_in_process_recommender_refuses_as_the_stream_does() -> None:
    recommender = Recommender(model=ModelSettings(items_per_partition_max=1))
    recommender.learn_one({"user": "ann", "item": "a", "type": "click", "ts": 1})
    with pytest.raises(InvalidEventError, match="too_many_items"):
        recommender.learn_one({"user": "ann", "item": "b", "type": "click", "ts": 2})
    recommender.learn_one({"user": "bob", "item": "a", "type": "click", "ts": 3})
    recommender.forget("ann")
