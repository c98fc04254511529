"""Messages written by joining pieces read back as what was put in, whatever the ids."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.model.ids import ItemIds, hash_id
from stream_rec.model.message import MessageWriter, source_names

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


def written(user: str, listed: list[tuple[str, float, int, str | None]]) -> dict[str, Any]:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "the topic")
    items, scores, reasons, because = zip(*listed, strict=True) if listed else ((),) * 4
    value = writer.write(
        user,
        [ids.slot(item) for item in items],
        writer.score_texts(np.array([scores], np.float32))[0] if scores else [],
        reasons,
        [-1 if cause is None else ids.slot(cause) for cause in because],
        1_714_557_600_123,
        3,
        2**40,
        1_714_557_600.25,
    )
    message: dict[str, Any] = json.loads(value)
    return message


@given(texts, entries)
def test_message_reads_back_as_what_was_put_in(
    user: str, listed: list[tuple[str, float, int, str | None]]
) -> None:
    message = written(user, listed)
    assert message["user"] == user
    assert len(message["items"]) == len(listed)
    for entry, (item, score, reason, cause) in zip(message["items"], listed, strict=True):
        assert entry["item"] == item
        assert entry["score"] == pytest.approx(score, rel=1e-12, abs=5.1e-6)
        named = {"source": NAMES[reason]} | ({} if cause is None else {"because": cause})
        assert entry["reasons"] == [named]


def test_message_names_time_and_source() -> None:
    message = written("ann", [])
    assert list(message) == ["user", "items", "generated_at", "model_version", "source"]
    assert message["generated_at"] == 1_714_557_600_123
    assert message["model_version"] == "1"
    assert message["source"] == {
        "topic": "the topic",
        "partition": 3,
        "offset": 2**40,
        "ts": 1_714_557_600.25,
    }


def test_ids_are_encoded_once_and_new_ones_follow() -> None:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "events")
    for text in ('a"b', "c\\d"):
        value = writer.write("u", [ids.slot(text)], ["0.0"], [0], [-1], 0, 0, 0, 0.0)
        assert json.loads(value)["items"][0]["item"] == text


def test_item_whose_id_comes_late_is_listed_by_it() -> None:
    ids = ItemIds()
    writer = MessageWriter(ids, HALF_LIVES_S, "1", "events")
    late = int(ids.slots_of_hashes(np.array([hash_id("late")], np.uint64))[0])
    writer.write("u", [ids.slot("early")], ["0.0"], [0], [-1], 0, 0, 0, 0.0)
    ids.set_texts(np.array([hash_id("late")], np.uint64), ["late"])
    value = writer.write("u", [late], ["0.0"], [0], [late], 0, 0, 0, 0.0)
    entry = json.loads(value)["items"][0]
    assert (entry["item"], entry["reasons"][0]["because"]) == ("late", "late")


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
