"""The order of ids against sorting them, and what a list makes of it."""

from __future__ import annotations

from itertools import pairwise, zip_longest
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.id_order import IdOrder, natural_key
from stream_rec.model.ids import ItemIds
from stream_rec.model.runs import EventRun
from stream_rec.recommender import Recommender

Texts = list[str]
texts = st.text(st.sampled_from("aB-é0123456789"), min_size=1, max_size=6)
batches = st.lists(st.lists(texts, max_size=30), max_size=6)


def in_order(batches: list[Texts], leaving: list[Texts]) -> tuple[ItemIds, IdOrder, list[int]]:
    """Return an order after items came and went, and the slots that are left, as they sort."""
    ids, order, left = ItemIds(), IdOrder(1), set()
    for came, went in zip_longest(batches, leaving, fillvalue=()):
        slots, gone = ids.slots(list(came)), ids.slots(list(went))
        order.lengthen(max(len(ids), 1))
        assert set(order.enter(ids, slots).tolist()) == set(slots.tolist()) - left
        order.leave(ids, np.unique(gone).astype(np.int64))
        left = (left | set(slots.tolist())) - set(gone.tolist())
    return ids, order, sorted(left, key=lambda s: (natural_key(ids.texts[s]), ids.texts[s]))


@given(batches, batches)
def test_items_stand_beside_each_other_as_their_ids_sort(
    batches: list[Texts], leaving: list[Texts]
) -> None:
    ids, order, left = in_order(batches, leaving)
    expected = np.full((len(ids), 2), NO_ITEM)
    for before, behind in pairwise(left):
        expected[before, 1], expected[behind, 0] = behind, before
    assert order.beside[: len(ids)].tolist() == expected.tolist()
    assert len(order) == len(left)


@given(batches, st.randoms())
def test_order_does_not_depend_on_what_came_first(batches: list[Texts], random: Random) -> None:
    ids, _, left = in_order(batches, [])
    shuffled = list(ids.texts)
    random.shuffle(shuffled)
    others, other, _ = in_order([[text] for text in shuffled], [])
    for before, behind in pairwise(left):
        slots = [others.slot(ids.texts[slot]) for slot in (before, behind)]
        assert other.beside[slots[0], 1] == slots[1]
        assert other.beside[slots[1], 0] == slots[0]


def test_items_that_wait_are_entered_when_the_order_is_needed() -> None:
    ids, order = ItemIds(), IdOrder(3)
    slots = ids.slots(["a1", "a3", "a2"]).astype(np.int64)
    order.expect(slots[:2])
    order.expect(slots)
    assert len(order) == 0
    order.enter_waiting(ids)
    assert order.beside.tolist() == [[NO_ITEM, 2], [2, NO_ITEM], [0, 1]]


def test_an_item_without_an_id_has_no_place() -> None:
    ids, order = ItemIds(), IdOrder(3)
    named = ItemIds()
    named.slots(["a2"])
    ids.slots_of_hashes(named.hashes[:1])
    assert order.enter(ids, np.arange(3)).tolist() == []
    ids.slots(["a2", "a2"])
    assert order.enter(ids, np.zeros(2, np.int32)).tolist() == [0]


def test_made_up_items_of_duplicates_leave_no_trace_in_the_order() -> None:
    """Rankings pass over what is not listed, so it would slow down all that stand beside it."""
    engine = Engine(ModelSettings(), EventSettings(), source_topic="events", n_partitions=2)
    engine.open_partition(0)
    events = [
        Event(user="u", item=f"i{x}", type="click", ts=1.0, event_id="once") for x in range(50)
    ]
    for first in range(0, 50, 10):
        engine.fold(
            [EventRun(0, events[first : first + 10], list(range(first, first + 10)))], publish=True
        )
    assert len(engine.items.ids) == 50
    assert len(engine.items.order) == 1


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 3), st.integers(0, 3))
def test_numbers_sort_by_their_size(one: int, other: int, zeros: int, more_zeros: int) -> None:
    key = natural_key(f"sku-{'0' * zeros}{one}-b")
    other_key = natural_key(f"sku-{'0' * more_zeros}{other}-b")
    assert (key < other_key, key == other_key) == (one < other, one == other)


def n_found_beside(ids: list[str]) -> int:
    """Return of 200 items how many have what stands behind them in the list of who just took them.

    Others took two items that stand beside each other, but never one of these pairs.
    """
    recommender = Recommender(ModelSettings(linked_candidates=20, candidates_max=40))
    random = np.random.default_rng(2)
    for x, item in enumerate(random.permutation(ids).tolist()):
        recommender.learn_one({"user": f"once {x}", "item": item, "type": "click", "ts": float(x)})
    first = random.permutation(len(ids) - 1).tolist()
    for x in first[200:]:
        for item in ids[x : x + 2]:
            event = {"user": f"pair {x}", "item": item, "type": "click", "ts": 2e3 + x}
            recommender.learn_one(event)
    n_found = 0
    for x in first[:200]:
        recommender.learn_one({"user": f"asks {x}", "item": ids[x], "type": "click", "ts": 4e3})
        listed = recommender.recommend(f"asks {x}", 10)
        n_found += ids[x + 1] in [entry.item for entry in listed]
    return n_found


def test_what_nobody_took_together_is_found_by_its_id() -> None:
    numbered = [f"item-{x}" for x in range(1_100)]
    drawn = [f"item-{x}" for x in np.random.default_rng(1).permutation(10**6)[:1_100]]
    assert n_found_beside(numbered) > 2 * n_found_beside(drawn)
