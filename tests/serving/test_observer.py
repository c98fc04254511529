"""What the live page shows is counted as docs/http.md says."""

from __future__ import annotations

import json
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import load_settings
from stream_rec.serving import observer as module
from stream_rec.serving.catalogue import Catalogue
from stream_rec.serving.follower import Followed
from stream_rec.serving.observer import Observer
from stream_rec.serving.trend import Trend

ITEMS = "abcdefg"
SETTINGS = load_settings()


class Popularity(Catalogue):
    """A catalogue of which nothing but popularity is known."""

    now_s = 0.0

    def __init__(self, *items: str) -> None:
        self.items = list(items)
        self.trend = Trend(900.0)

    def popular_without(self, items: object, n: int) -> list[str]:
        return self.items[:n]


def event(offset: int, item: str) -> Followed:
    value = json.dumps({"user": "ann", "item": item, "type": "click"}).encode()
    return Followed("events", 0, offset, b"ann", value, 1_000, None)


def listed(offset: int, *items: str) -> Followed:
    value = {
        "items": [{"item": item} for item in items],
        "source": {"partition": 0, "offset": offset},
    }
    return Followed("recommendations", 0, offset, b"ann", json.dumps(value).encode(), 1_000, None)


async def test_popularity_is_scored_as_it_was_when_the_list_came() -> None:
    """What became popular between the list and the event, neither could have known."""
    catalogue = Popularity("alien")
    observer = Observer(SETTINGS, catalogue, {0: 0})
    observer.note_second(0)
    await observer.take_events([event(0, "heat")])
    observer.take_list(listed(0, "gravity"))
    catalogue.items = ["gravity"]
    observer.note_second(0)
    await observer.take_events([event(1, "gravity")])
    point = observer.note_second(0)
    assert (point["scored"], point["hit_rate"], point["popular_hit_rate"]) == (1, 1.0, 0.0)


async def test_popular_items_that_the_user_had_make_room_for_others() -> None:
    had = [f"had {number}" for number in range(5)]
    popular = [*had, *(f"item {number}" for number in range(12))]
    observer = Observer(SETTINGS, Popularity(*popular), {0: 0})
    observer.note_second(0)
    await observer.take_events([event(number, item) for number, item in enumerate(had)])
    observer.take_list(listed(4, "gravity"))
    await observer.take_events([event(5, "item 9"), event(6, "item 11")])
    point = observer.note_second(0)
    assert (point["scored"], point["hit_rate"], point["popular_hit_rate"]) == (2, 0.0, 0.5)


lists_of_items = st.lists(st.lists(st.sampled_from(ITEMS), max_size=4, unique=True), max_size=30)


@given(lists_of_items, st.integers(1, 5))
def test_listed_items_are_those_of_the_last_lists(lists: list[list[str]], window: int) -> None:
    observer = Observer(SETTINGS, Popularity(), {0: 0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LISTS_WINDOW", window)
        for offset, items in enumerate(lists):
            observer.take_list(listed(offset, *items))
        last = deque(lists, maxlen=window)
        assert observer.n_listed_items == len({item for items in last for item in items})
