"""Item rows survive encoding, whatever the slots; what does not fit is refused whole."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.errors import RowFormatError
from stream_rec.model.items import Items
from stream_rec.model.rows import ITEM, ITEM_ID, ITEM_TYPE, VERSION
from tests.kernels.link_oracle import check_pool, links_of
from tests.model.states import LINKS_MAX, empty_items, fill_items

Rows = list[tuple[bytes, bytes]]
seeds = st.integers(0, 10**6)
sizes = st.integers(0, 12)
COLUMNS = ["taken", "first_s", "last_s", "popularity", "bias", "bias_squares", "rating", "evidence"]
AT_LENGTHS = ITEM_TYPE.fields["n_popularity"][1]  # type: ignore[index]


def freeze(items: Items) -> Rows:
    return [row for part in items.freeze_in_parts(0, rows_max=5) for row in part]


def frozen_items(seed: int = 1, n_items: int = 6, **changes: int) -> Rows:
    items = empty_items(**changes)
    fill_items(items, seed, n_items)
    return freeze(items)


def renumbered(seed: int) -> Items:
    """Return items of a process that met them in another order, some unknown to the other."""
    items = empty_items()
    for x in np.random.default_rng(seed).permutation(20):
        items.ids.slot(f"item {x}")
    items.reserve_items()
    return items


def refreeze(items: Items) -> dict[bytes, bytes]:
    """Freeze everything that has a row."""
    rows = items.own[0]
    rows.dirty[:] = rows.applied >= 0
    rows.named[:] = 0
    return dict(freeze(items))


@given(seeds, sizes, seeds)
def test_rows_survive_encoding_whatever_the_slots(seed: int, n_items: int, order: int) -> None:
    frozen = frozen_items(seed, n_items)
    loaded = renumbered(order)
    loaded.load(0, frozen)
    check_pool(loaded.own[0].links, LINKS_MAX)
    assert refreeze(loaded) == dict(frozen)


@given(seeds, sizes)
def test_loaded_columns_are_the_saved_ones(seed: int, n_items: int) -> None:
    saved, loaded = empty_items(), renumbered(seed)
    rows = fill_items(saved, seed, n_items)
    loaded.load(0, freeze(saved))
    others = loaded.own[0]
    at = np.array([loaded.ids.slot(text) for text in saved.ids.texts], np.int64)
    now = np.arange(n_items)
    for column in COLUMNS:
        assert np.array_equal(getattr(others, column)[at], getattr(rows, column)[now]), column
    assert np.array_equal(others.applied[at], rows.applied[now])
    assert np.array_equal(others.durable[at], rows.applied[now])
    assert not others.dirty.any()
    for x in range(n_items):
        links = links_of(rows.links, x)
        assert links_of(others.links, at[x]) == {at[k]: counts for k, counts in links.items()}


def test_freezing_takes_each_change_once_and_each_id_once() -> None:
    items = empty_items()
    rows = fill_items(items, 1, 3)
    kinds = [key[:1] for key, _ in freeze(items)]
    assert kinds == [ITEM_ID] * 3 + [ITEM] * 3, "ids first, so that no row names an unknown item"
    assert freeze(items) == []
    rows.dirty[1] = 1
    assert items.n_dirty(0) == 1
    assert [key[:1] for key, _ in freeze(items)] == [ITEM]


def test_id_that_is_not_durable_is_frozen_as_soon_as_it_is_known() -> None:
    frozen = frozen_items()
    ids = [row for row in frozen if row[0][:1] == ITEM_ID]
    loaded = empty_items()
    loaded.load(0, [row for row in frozen if row not in ids])
    assert freeze(loaded) == []
    for x in range(6):
        loaded.ids.slot(f"item {x}")
    assert sorted(freeze(loaded)) == sorted(ids)
    assert freeze(loaded) == []


def test_links_beyond_a_smaller_bound_are_cut_to_the_first() -> None:
    saved, loaded = empty_items(), empty_items(links_max=4)
    rows = fill_items(saved, 3, 12)
    loaded.load(0, freeze(saved))
    check_pool(loaded.own[0].links, 4)
    for x, text in enumerate(saved.ids.texts):
        kept = list(links_of(loaded.own[0].links, loaded.ids.slot(text)).values())
        assert kept == list(links_of(rows.links, x).values())[:4]


def damage_version(value: bytes) -> bytes:
    return struct.pack("<H", VERSION + 1) + value[2:]


def damage_length(field: int, count: int) -> Callable[[bytes], bytes]:
    at = AT_LENGTHS + 4 * field
    return lambda value: value[:at] + struct.pack("<I", count) + value[at + 4 :]


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (damage_version, "upgrade the worker"),
        (lambda value: b"", "delete the worker's state folder"),
        (lambda value: value[:30], "delete the worker's state folder"),
        (lambda value: value[:-1], "delete the worker's state folder"),
        (lambda value: value + b"x", "delete the worker's state folder"),
        (damage_length(0, 3), "delete the worker's state folder"),
        (damage_length(1, 2**32 - 1), "delete the worker's state folder"),
        (damage_length(2, 2**31), "delete the worker's state folder"),
    ],
)
def test_damaged_row_is_refused_and_nothing_changed(
    damage: Callable[[bytes], bytes], advice: str
) -> None:
    frozen = frozen_items()
    key, value = frozen[-1]
    assert_refused([*frozen[:-1], (key, damage(value))], advice)


@pytest.mark.parametrize(
    ("changes", "setting"), [({"n_half_lives": 3}, "half_lives_s"), ({"n_factors": 5}, "n_factors")]
)
def test_rows_of_another_configuration_are_refused(changes: dict[str, int], setting: str) -> None:
    other = frozen_items(**changes)
    assert_refused(other, rf"model\.{setting}.* set model\.{setting} as it was, or rebuild")
    assert_refused([*frozen_items(), *other[-1:]], rf"set model\.{setting} as it was")


def test_key_of_another_length_is_refused() -> None:
    frozen = frozen_items()
    assert_refused([*frozen[:-1], (frozen[-1][0] + b"x", frozen[-1][1])], "key of 9 bytes")


def assert_refused(encoded: Rows, message: str) -> None:
    items = empty_items()
    with pytest.raises(RowFormatError, match=message):
        items.load(0, encoded)
    assert len(items.ids) == 0
    assert items.own[0].links.used[0] == 0
    assert refreeze(items) == {}


def test_columns_grow_without_changing_what_is_in_them() -> None:
    items = empty_items()
    fill_items(items, 5, 10)
    before = refreeze(items)
    for x in range(3_000):
        items.ids.slot(f"more {x}")
    items.reserve_items()
    size = items.size
    assert size >= 3_010
    items.reserve_items()
    assert items.size == size
    assert items.view.beside.shape == (items.size, 2)
    assert items.view.beside is items.order.beside
    items.reserve_links(0, 200_000)
    assert items.view.rows is items.own[0]
    assert refreeze(items) == before
