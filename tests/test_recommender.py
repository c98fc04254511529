"""The front door in process: what a reader of the README will try."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from stream_rec import Event, InvalidEventError, Recommendation, Recommender, StreamRecError
from stream_rec.config import EventSettings, EventType, ModelSettings
from tests.model.logs import made_up_events


def taught(n_events: int = 300, **arguments: Any) -> Recommender:
    recommender = Recommender(**arguments)
    for event in made_up_events(n_events, rated_share=0.2):
        recommender.learn_one(event)
    return recommender


def items(listed: list[Recommendation]) -> list[str]:
    return [entry.item for entry in listed]


def as_mapping(event: Event) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not None}


def test_event_and_mapping_mean_the_same() -> None:
    one, other = Recommender(), Recommender()
    for event in made_up_events(100, rated_share=0.2):
        one.learn_one(event)
        other.learn_one(as_mapping(event))
        assert one.recommend(event.user) == other.recommend(event.user)
        assert one.predict_one(event.user, "i1") == other.predict_one(event.user, "i1")


@pytest.mark.parametrize("number", [int, np.int64])
def test_numbers_as_ids_are_their_decimal_strings(number: Callable[[int], Any]) -> None:
    texts, numbers = Recommender(), Recommender()
    for x in range(200):
        user, item = x % 7, x * x % 23
        event: Mapping[str, Any] = {"type": "rating", "value": 1 + x % 9, "ts": x}
        texts.learn_one({"user": str(user), "item": str(item), **event})
        numbers.learn_one({"user": number(user), "item": number(item), **event})
    for user in range(7):
        listed = numbers.recommend(number(user))
        assert listed == texts.recommend(str(user))
        assert all(isinstance(entry.item, str) for entry in listed)
        assert numbers.predict_one(number(user), number(3)) == texts.predict_one(str(user), "3")


@pytest.mark.parametrize("k", [0, -1, 101])
def test_k_outside_its_limits_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"expected a list of 1 to 100 items, came {k}"):
        Recommender().recommend("ann", k=k)


@pytest.mark.parametrize("k", [1, 10, 40, 100])
def test_list_has_k_distinct_items_the_best_first(k: int) -> None:
    listed = taught().recommend("u1", k=k)
    assert len(set(items(listed))) == len(listed) == min(k, 40)
    scores = [entry.score for entry in listed]
    assert scores == sorted(scores, reverse=True)


def test_what_was_proposed_leads_a_list_of_any_length() -> None:
    recommender = taught()
    longest = recommender.recommend("u1", k=100)
    n_proposed = sum(entry.score > -100 for entry in longest)
    assert 10 < n_proposed < 40
    for k in range(1, n_proposed + 1):
        assert recommender.recommend("u1", k=k) == longest[:k]


def test_unknown_user_gets_what_is_popular_and_stays_unknown() -> None:
    recommender = taught(600)
    first = recommender.recommend("never seen")
    assert recommender.recommend("never seen") == first
    assert len(first) == 10
    assert all(entry.reason.because is None for entry in first)
    assert len(recommender._engine.users) == 20


def test_nobody_gets_an_empty_list_once_ten_items_are_known() -> None:
    recommender, known = Recommender(), set[str]()
    for event in made_up_events(400):
        recommender.learn_one(event)
        if event.type != "dislike":
            known.add(event.item)
        for user in (event.user, "never seen"):
            assert len(recommender.recommend(user)) >= min(10, len(known))


def test_before_any_event_there_is_nothing_to_recommend_nor_to_expect() -> None:
    recommender = Recommender()
    assert recommender.recommend("ann") == []
    assert recommender.predict_one("ann", "alien") is None


def test_same_events_give_the_same_lists_whatever_was_asked_between() -> None:
    quiet, asked = Recommender(), Recommender()
    for event in made_up_events(200, rated_share=0.2):
        quiet.learn_one(event)
        asked.learn_one(event)
        asked.recommend(event.user, k=3)
        asked.predict_one("never seen", event.item)
    for user in range(20):
        assert quiet.recommend(f"u{user}") == asked.recommend(f"u{user}")
        assert quiet.predict_one(f"u{user}", "i0") == asked.predict_one(f"u{user}", "i0")


def test_seen_items_come_only_where_unseen_ones_are_too_few() -> None:
    recommender, seen = taught(), set[str]()
    for event in made_up_events(300, rated_share=0.2):
        if event.user == "u1":
            seen.add(event.item)
    n_unseen = 40 - len(seen)
    listed = items(recommender.recommend("u1", k=40))
    assert not set(listed[:n_unseen]) & seen
    repeats = taught(model=ModelSettings(exclude_seen=False)).recommend("u1", k=10)
    assert set(items(repeats)) & seen


def test_event_without_a_time_happens_with_the_latest_one() -> None:
    explicit, implied = Recommender(), Recommender()
    for event in made_up_events(60):
        explicit.learn_one(event)
        implied.learn_one(event)
    last_s = 1_700_000_000.0 + 60 * 59
    late = {"user": "u1", "item": "late", "type": "click"}
    explicit.learn_one({**late, "ts": last_s})
    implied.learn_one(late)
    assert explicit.recommend("u2", at=last_s) == implied.recommend("u2")


def test_reason_names_a_source_and_an_item_of_the_history() -> None:
    entries = taught(600).recommend("u1", k=40)
    causes = {entry.reason.because for entry in entries} - {None}
    assert causes <= {event.item for event in made_up_events(600, rated_share=0.2)}
    assert causes
    assert all(entry.reason.source for entry in entries)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"user": "a", "item": "x", "type": "clck"}, "unknown_type"),
        ({"user": "a", "item": "x"}, "missing_field"),
        ({"user": "", "item": "x", "type": "click"}, "empty_id"),
        ({"user": "a", "item": "x", "type": "rating"}, "missing_field"),
        ({"user": "a", "item": "x", "type": "rating", "value": 11}, "outside_scale"),
        ({"user": "a", "item": "x", "type": "click", "value": math.nan}, "not_finite"),
        (5, "not_an_object"),
    ],
)
def test_unusable_event_is_refused_with_its_code_and_teaches_nothing(event: Any, code: str) -> None:
    recommender = taught(60)
    before = recommender.recommend("u1")
    with pytest.raises(InvalidEventError) as refused:
        recommender.learn_one(event)
    assert refused.value.code == code
    assert isinstance(refused.value, StreamRecError)
    assert recommender.recommend("u1") == before


def test_event_of_an_ignored_type_teaches_nothing() -> None:
    recommender = Recommender(events=EventSettings(unknown_type="ignore"))
    recommender.learn_one({"user": "a", "item": "x", "type": "hover"})
    assert recommender.recommend("a") == []


def test_expected_rating_follows_user_and_item() -> None:
    types = {"stars": EventType(scale=(1.0, 5.0))}
    recommender = Recommender(events=EventSettings(types=types))
    random = np.random.default_rng(0)
    for x in range(3_000):
        user, item = int(random.integers(10)), int(random.integers(20))
        stars = 3 + (1 if user < 5 else -1) * (1 if item < 10 else -1)
        recommender.learn_one(
            {"user": user, "item": item, "type": "stars", "value": stars, "ts": x}
        )
    for user, item, stars in ((0, 0, 4), (0, 15, 2), (9, 0, 2), (9, 15, 4)):
        assert recommender.predict_one(user, item) == pytest.approx(stars, abs=0.5)
    assert recommender.predict_one("never seen", "never seen") == pytest.approx(3.0, abs=0.3)


def test_clicks_teach_no_ratings() -> None:
    recommender = Recommender()
    recommender.learn_one({"user": "a", "item": "x", "type": "click", "value": 5})
    assert recommender.predict_one("a", "x") is None
