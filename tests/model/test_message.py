"""Messages written by joining pieces read back as what was put in, whatever the ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.model.batch import Outcome
from stream_rec.model.events import Event
from stream_rec.model.ids import ItemIds, hash_id
from stream_rec.model.message import MessageWriter, source_names
from stream_rec.model.runs import EventRun

HALF_LIVES_S = np.array([900.0, 7_200.0, 86_400.0])
NAMES = source_names(HALF_LIVES_S)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
entries = st.lists(
    st.tuples(
        texts,
        st.floats(-1e6, 1e6, width=32),
        st.integers(-1, len(NAMES) - 2),
        st.none() | texts,
    ),
    max_size=12,
)


Entry = tuple[str, float, int, str | None]


def outcome_of(ids: ItemIds, lists: Sequence[Sequence[Entry]]) -> Outcome:
    """Return lists as the fold leaves them; places behind the end of a list hold anything."""
    shape = len(lists), max(map(len, lists), default=0)
    item, because = np.full(shape, 10**6, np.int32), np.full(shape, 10**6, np.int32)
    score, reason = np.full(shape, np.nan, np.float32), np.full(shape, 99, np.int8)
    for e, listed in enumerate(lists):
        for x, (text, value, source, cause) in enumerate(listed):
            item[e, x], score[e, x], reason[e, x] = ids.slot(text), value, source
            because[e, x] = -1 if cause is None else ids.slot(cause)
    n_listed = np.fromiter(map(len, lists), np.int32, len(lists))
    unused = np.zeros(len(lists))
    return Outcome(
        unused.astype(np.uint8),
        unused.astype(np.int32),
        unused.astype(np.float32),
        item,
        because,
        score,
        reason,
        n_listed,
    )


def written(
    writer: MessageWriter, user: str, ids: ItemIds, lists: Sequence[Sequence[Entry]]
) -> list[dict[str, Any]]:
    event = Event(user=user, item="x", type="click", ts=1_714_557_600.25)
    offsets = [2**40 + e for e in range(len(lists))]
    outcome = outcome_of(ids, lists)
    values = writer.write([EventRun(3, [event] * len(lists), offsets)], outcome, 1_714_557_600_123)
    return [json.loads(value) for value in values]


@given(texts, st.lists(entries, max_size=4))
def test_messages_read_back_as_what_was_put_in(user: str, lists: list[list[Entry]]) -> None:
    ids = ItemIds()
    messages = written(MessageWriter(ids, HALF_LIVES_S, "1", "the topic"), user, ids, lists)
    assert [message["user"] for message in messages] == [user] * len(lists)
    for message, listed in zip(messages, lists, strict=True):
        assert len(message["items"]) == len(listed)
        for entry, (item, score, reason, cause) in zip(message["items"], listed, strict=True):
            assert entry["item"] == item
            assert entry["score"] == round(float(np.float32(score)), 5)
            named = {"source": NAMES[reason]} | ({} if cause is None else {"because": cause})
            assert entry["reasons"] == [named]


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.0, "0.0"), (-1e-7, "0.0"), (1.5, "1.5"), (-12.0, "-12.0"), (0.00001, "0.00001")],
)
def test_score_has_no_needless_digits(score: float, text: str) -> None:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "events")
    outcome = outcome_of(ids, [[("a", score, 0, None)]])
    [value] = writer.write(
        [EventRun(0, [Event(user="u", item="a", type="click")], [0])], outcome, 0
    )
    assert f'"score":{text},' in value.decode()


def test_message_names_time_and_source() -> None:
    ids = ItemIds()
    [message] = written(MessageWriter(ids, HALF_LIVES_S, "1", "the topic"), "ann", ids, [[]])
    assert list(message) == ["user", "items", "generated_at", "model_version", "source"]
    assert message["generated_at"] == 1_714_557_600_123
    assert message["model_version"] == "1"
    assert message["source"] == {
        "topic": "the topic",
        "partition": 3,
        "offset": 2**40,
        "ts": 1_714_557_600.25,
    }


def test_long_lists_of_long_ids_are_written_whole() -> None:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "events")
    lists = [[(f"{e}-{x}" + "ä" * 120, 1.0, 0, "c" * 256) for x in range(100)] for e in range(40)]
    for message, listed in zip(written(writer, "u", ids, lists), lists, strict=True):
        assert [entry["item"] for entry in message["items"]] == [item for item, *_ in listed]


def test_new_ids_follow_those_encoded() -> None:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "events")
    for text in ('a"b', "c\\d", *map(str, range(3_000))):
        [message] = written(writer, "u", ids, [[(text, 0.0, 0, None)]])
        assert message["items"][0]["item"] == text


def test_item_whose_id_comes_late_is_listed_by_it() -> None:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "events")
    late = np.array([hash_id("late")], np.uint64)
    [slot] = ids.slots_of_hashes(late)
    outcome = outcome_of(ids, [[("early", 0.0, 0, None)]])
    outcome.because[:] = slot
    event = Event(user="u", item="early", type="click")
    for name in ("", "late"):
        [value] = writer.write([EventRun(0, [event], [0])], outcome, 0)
        assert json.loads(value)["items"][0]["reasons"][0]["because"] == name
        ids.set_texts(late, ["late"])


@pytest.mark.parametrize(
    ("half_life_s", "name"),
    [
        (45.0, "popular_45s"),
        (90.5, "popular_90.5s"),
        (900.0, "popular_15min"),
        (5_400.0, "popular_90min"),
        (7_200.0, "popular_2h"),
        (604_800.0, "popular_7d"),
    ],
)
def test_popularity_is_named_by_its_half_life(half_life_s: float, name: str) -> None:
    assert source_names(np.array([half_life_s]))[0] == name


def test_every_feature_column_that_is_a_share_has_a_name() -> None:
    names = source_names(HALF_LIVES_S)
    assert names == [
        "popular_15min",
        "popular_2h",
        "popular_1d",
        "popular",
        *["taken_together"] * 3,
        *["taken_next"] * 2,
        "new",
    ]
