"""What the live page counts, against a slow obvious count."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.serving import observer as module
from stream_rec.serving.follower import Followed
from stream_rec.serving.observer import Observer

EVENTS, LISTS = "events", "recommendations"
ITEMS = "abcdefg"
POPULAR = frozenset("ab")


class FakeCatalogue:
    def popular_without(self, had: set[str], n: int) -> frozenset[str]:
        return POPULAR - had


def new_observer() -> Observer:
    return Observer(cast(Any, FakeCatalogue()), EVENTS)


def a_list(user: str, offset: int, items: list[str]) -> Followed:
    content = {"items": [{"item": item} for item in items]}
    source = {"partition": 0, "offset": offset}
    value = json.dumps({**content, "source": source}).encode()
    return Followed(LISTS, 0, offset, user.encode(), value, 0, None)


def an_event(user: str, offset: int, item: str) -> Followed:
    value = json.dumps({"user": user, "item": item}).encode()
    return Followed(EVENTS, 0, offset, user.encode(), value, 0, None)


lists_of_items = st.lists(st.lists(st.sampled_from(ITEMS), max_size=4, unique=True), max_size=30)


@given(lists_of_items, st.integers(1, 5))
def test_listed_items_are_those_of_the_last_lists(lists: list[list[str]], window: int) -> None:
    observer = new_observer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LISTS_WINDOW", window)
        for offset, items in enumerate(lists):
            observer.take_list(a_list("u", offset, items))
    last = deque(lists, maxlen=window)
    assert observer.n_listed_items == len({item for items in last for item in items})


async def test_an_event_is_scored_by_the_list_from_before_it() -> None:
    observer = new_observer()
    assert observer.hit_rate is None
    observer.take_list(a_list("u", 0, ["c", "d"]))
    await observer.take_events([an_event("u", 1, "c")])  # listed, not popular
    observer.take_list(a_list("u", 1, ["a", "d"]))
    await observer.take_events([an_event("u", 2, "b")])  # popular, not listed
    observer.take_list(a_list("u", 2, ["a"]))
    await observer.take_events([an_event("u", 3, "a")])  # both
    await observer.take_events([an_event("v", 4, "a")])  # nobody knows v: not scored
    assert observer.n_scored == 3
    assert observer.hit_rate == pytest.approx(2 / 3, abs=1e-4)
    assert observer.popular_hit_rate == pytest.approx(2 / 3, abs=1e-4)
