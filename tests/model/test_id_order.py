"""The order of ids against sorting them, and what a list makes of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import ModelSettings
from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.model.id_order import IdOrder, natural_key
from stream_rec.model.ids import ItemIds
from stream_rec.recommender import Recommender

texts = st.text(st.sampled_from("aB-é0123456789"), min_size=1, max_size=6)
batches = st.lists(st.lists(texts, max_size=30), max_size=6)


def ordered(batches: list[list[str]]) -> tuple[ItemIds, IdOrder]:
    ids, order = ItemIds(), IdOrder(1)
    for batch in batches:
        ids.slots(batch)
        order.lengthen(max(len(ids), 1))
        order.enter_new(ids)
    return ids, order


@given(batches)
def test_items_stand_beside_each_other_as_their_ids_sort(batches: list[list[str]]) -> None:
    ids, order = ordered(batches)
    expected = np.full((len(ids), 2), NO_ITEM)
    in_order = sorted(range(len(ids)), key=lambda s: (natural_key(ids.texts[s]), ids.texts[s]))
    for before, behind in pairwise(in_order):
        expected[before, 1], expected[behind, 0] = behind, before
    assert order.beside[: len(ids)].tolist() == expected.tolist()


@given(batches, st.randoms())
def test_order_does_not_depend_on_what_came_first(
    batches: list[list[str]], random: np.random.Generator
) -> None:
    ids, order = ordered(batches)
    shuffled = list(ids.texts)
    random.shuffle(shuffled)
    others, other = ordered([[text] for text in shuffled])
    for slot, text in enumerate(ids.texts):
        here, there = order.beside[slot], other.beside[others.slot(text)]
        assert [ids.texts[s] if s >= 0 else "" for s in here] == [
            others.texts[s] if s >= 0 else "" for s in there
        ]


def test_an_item_known_by_its_hash_gets_its_place_with_its_id() -> None:
    ids, order = ItemIds(), IdOrder(3)
    ids.slots(["a1", "a3"])
    order.enter_new(ids)
    named = ItemIds()
    named.slots(["a2"])
    ids.slots_of_hashes(named.hashes[:1])
    order.enter_new(ids)
    assert order.beside.tolist() == [[NO_ITEM, 1], [0, NO_ITEM], [NO_ITEM, NO_ITEM]]
    ids.slots(["a2", "a2"])
    order.enter_new(ids)
    assert order.beside.tolist() == [[NO_ITEM, 2], [2, NO_ITEM], [0, 1]]


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=2), st.integers(0, 3))
def test_numbers_sort_by_their_size(numbers: list[int], n_zeros: int) -> None:
    one, other = (natural_key(f"sku-{'0' * n_zeros}{number}-b") for number in numbers)
    assert (one < other, one == other) == (numbers[0] < numbers[1], numbers[0] == numbers[1])


def test_a_number_of_any_length_has_a_key() -> None:
    assert natural_key("9" * 100_000) > natural_key("1" * 99)


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
    numbered = [f"item-{x}" for x in range(1_000)]
    drawn = [f"item-{x}" for x in np.random.default_rng(1).permutation(10**6)[:1_000]]
    assert n_found_beside(numbered) > 2 * n_found_beside(drawn)
