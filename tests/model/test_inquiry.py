"""Questions are answered as the hot path would, and teach the engine nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.sources import AFTER_UNIT
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.ids import hash_id
from stream_rec.model.inquiry import Inquiry, Relation, Scored
from stream_rec.model.lists import Listed
from stream_rec.model.rows import PROFILE, row_key
from stream_rec.model.runs import Run
from tests.model.logs import made_up_events, records_of

MODEL = ModelSettings(history_length=12, n_factors=8)
EVENTS = EventSettings()
LOG = made_up_events(900, n_users=15, n_items=120)
LOG_END_S = LOG[-1].ts or 0.0
HOUR_S = 3600.0


def taught(model: ModelSettings = MODEL, events: list[Event] = LOG) -> tuple[Engine, Inquiry]:
    engine = Engine(model, EVENTS, source_topic="events", n_partitions=1)
    engine.open_partition(0)
    engine.process([Run(0, records_of(events))], 7)
    return engine, Inquiry(engine, model, EVENTS)


def profile_of(engine: Engine, user: str) -> bytes:
    return dict(engine.freeze(0).profiles)[row_key(PROFILE, hash_id(user))]


def entries(engine: Engine, listed: Listed) -> list[tuple[str, float, int, str]]:
    texts = engine.items.ids.texts
    columns = zip(*(column.tolist() for column in listed), strict=True)
    return [(texts[item], score, reason, texts[cause]) for item, score, reason, cause in columns]


def values_of(engine: Engine, scored: Scored) -> dict[str, float]:
    texts = engine.items.ids.texts
    named = zip(scored.items.tolist(), scored.values.tolist(), strict=True)
    return {texts[item]: value for item, value in named}


@pytest.mark.parametrize("n", [1, 10, 60])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_profile_row_gives_the_list_of_its_user(n: int, exclude_seen: bool) -> None:
    engine, inquiry = taught(MODEL.model_copy(update={"exclude_seen": exclude_seen}))
    row, now_s = profile_of(engine, "u3"), inquiry.latest_s()
    expected = entries(engine, engine.recommend(0, "u3", n, now_s))
    assert entries(engine, inquiry.list_for_profile("u3", row, n, now_s)) == expected
    assert len(expected) == n


def test_a_history_gives_the_list_of_a_user_who_had_it() -> None:
    clicks = [f"i{x}" for x in (3, 7, 11, 40, 3, 51)]
    last_s = LOG_END_S + 60.0
    late = [Event(user="new", item=item, type="click", ts=last_s) for item in clicks]
    engine, inquiry = taught(events=LOG + late)
    expected = entries(engine, engine.recommend(0, "new", 20, last_s))
    assert entries(engine, inquiry.list_for_history(clicks, 20, last_s)) == expected
    assert len(expected) == 20


def test_no_history_gives_the_list_of_an_unknown_user() -> None:
    engine, inquiry = taught()
    expected = entries(engine, engine.recommend(0, "nobody", 10, inquiry.latest_s()))
    assert entries(engine, inquiry.list_for_history([], 10, inquiry.latest_s())) == expected


def test_questions_teach_nothing() -> None:
    engine, inquiry = taught()
    row, now_s = profile_of(engine, "u3"), inquiry.latest_s()
    n_items, n_users = len(engine.items.ids), len(engine.users)
    before = engine.recommend(0, "u3", 10, now_s)
    inquiry.list_for_history(["i1", "never heard of"], 10, now_s, ["i2", "nor of this"])
    inquiry.list_for_profile("u3", row, 10, now_s, ["i2"])
    inquiry.order_for_history(["i1"], ["i2", "never heard of"], now_s)
    inquiry.related("i1", "similar")
    assert inquiry.related("never heard of", "next") is None
    assert (len(engine.items.ids), len(engine.users)) == (n_items, n_users)
    assert engine.n_dirty(0) == 0
    after = engine.recommend(0, "u3", 10, now_s)
    assert entries(engine, after) == entries(engine, before)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_excluded_items_leave_the_others_as_they_were(exclude_seen: bool) -> None:
    model = MODEL.model_copy(
        update={"exclude_seen": exclude_seen, "linked_candidates": 160, "candidates_max": 240}
    )
    engine, inquiry = taught(model)
    row, now_s = profile_of(engine, "u3"), inquiry.latest_s()
    whole = entries(engine, inquiry.list_for_profile("u3", row, 15, now_s))
    excluded = [whole[0][0], whole[4][0], "never heard of"]
    expected = [entry for entry in whole if entry[0] not in excluded]
    cut = entries(engine, inquiry.list_for_profile("u3", row, 15, now_s, excluded))
    assert cut[: len(expected)] == expected
    for asked in (20, 100):
        listed = inquiry.list_for_profile("u3", row, asked, now_s, excluded)
        assert not {entry[0] for entry in entries(engine, listed)} & set(excluded)


def test_given_items_are_ordered_by_the_scores_of_the_list() -> None:
    engine, inquiry = taught()
    row, now_s = profile_of(engine, "u3"), inquiry.latest_s()
    whole = entries(engine, inquiry.list_for_profile("u3", row, 10, now_s))
    given = [entry[0] for entry in reversed(whole)]
    ordered = inquiry.order_for_profile("u3", row, [*given, "never heard of"], now_s)
    assert entries(engine, ordered) == whole
    history = [entry.item for entry in reversed(inquiry.summary("u3", row).history)]
    listed = inquiry.list_for_history(history, 10, now_s)
    given = [entry[0] for entry in entries(engine, listed)]
    ordered = inquiry.order_for_history(history, given, now_s)
    assert entries(engine, ordered) == entries(engine, listed)


@pytest.mark.parametrize("n", [0, -1, 101])
def test_lists_of_no_length_or_beyond_the_limit_are_refused(n: int) -> None:
    engine, inquiry = taught()
    for ask in (
        lambda: inquiry.list_for_history(["i1"], n, 0.0),
        lambda: inquiry.list_for_profile("u3", profile_of(engine, "u3"), n, 0.0),
        lambda: engine.recommend(0, "u3", n, 0.0),
    ):
        with pytest.raises(ValueError, match=f"expected a list of 1 to 100 items, came {n}"):
            ask()


def test_more_items_than_can_be_ordered_are_refused() -> None:
    _, inquiry = taught()
    with pytest.raises(ValueError, match="expected at most"):
        inquiry.order_for_history([], ["i1"] * (inquiry.given_max + 1), 0.0)


def test_related_items_are_those_of_the_link_row() -> None:
    engine, inquiry = taught()
    rows, ids = engine.items.view.rows, engine.items.ids
    slot = ids.find("i5")
    count = rows.taken / WEIGHT_UNIT
    similar, following = {}, {}
    for place in range(rows.links.start[slot], rows.links.start[slot] + rows.links.length[slot]):
        other = rows.links.neighbour[place]
        near, after = rows.links.near[place], rows.links.after[place]
        if near:
            cosine = near / WEIGHT_UNIT / np.sqrt((count[slot] + 1) * count[other])
            similar[ids.texts[other]] = pytest.approx(cosine, rel=1e-5)
        if after:
            share = after / WEIGHT_UNIT / AFTER_UNIT / (count[slot] + 1)
            following[ids.texts[other]] = pytest.approx(share, rel=1e-5)
    relations: dict[Relation, dict[str, Any]] = {"similar": similar, "next": following}
    for relation, expected in relations.items():
        found = inquiry.related("i5", relation)
        assert found is not None
        assert values_of(engine, found) == expected
        assert list(found.values) == sorted(found.values, reverse=True)


def test_trending_is_the_decayed_count() -> None:
    engine, inquiry = taught()
    now_s = inquiry.latest_s()
    assert now_s == LOG_END_S
    counts: dict[str, float] = {}
    for event in LOG:
        if event.type == "click":
            weight = 2.0 ** (((event.ts or 0.0) - now_s) / (2 * HOUR_S))
            counts[event.item] = counts.get(event.item, 0.0) + weight
    found = values_of(engine, inquiry.trending(0, now_s))
    assert found == pytest.approx(counts, rel=1e-9)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_summary_is_what_the_user_did() -> None:
    engine, inquiry = taught()
    summary = inquiry.summary("u3", profile_of(engine, "u3"))
    of_user = [event for event in LOG if event.user == "u3"]
    clicked = [event for event in reversed(of_user) if event.type == "click"]
    newest = list(dict.fromkeys(event.item for event in clicked))
    disliked = {event.item for event in of_user if event.type == "dislike"}
    kept = [entry.item for entry in summary.history]
    assert [item for item in kept if item not in disliked] == [
        item for item in newest if item not in disliked
    ][: len([item for item in kept if item not in disliked])]
    assert len(kept) == 12
    assert summary.last_s == of_user[-1].ts
    first_types = {event.item: event.type for event in reversed(of_user)}
    assert summary.n_distinct == list(first_types.values()).count("click")


def test_an_engine_that_knows_nothing_answers_too() -> None:
    engine, inquiry = taught(events=[])
    assert inquiry.latest_s() == 0.0
    assert entries(engine, inquiry.list_for_history(["i1"], 10, 0.0)) == []
    assert len(inquiry.trending(0, 0.0).items) == 0
    assert len(inquiry.order_for_history([], ["i1"], 0.0).items) == 0
