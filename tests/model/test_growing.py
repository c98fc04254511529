"""Item rows that grow: what was there stays, what is new has not been seen."""

from __future__ import annotations

import errno
import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.errors import StateError
from stream_rec.kernels.item_rows import OWN_COLUMNS, empty_item_rows
from stream_rec.kernels.links import empty_link_rows
from stream_rec.model import growing
from stream_rec.model.growing import (
    HUGE_PAGES_FROM_BYTES,
    IS_LINUX,
    LINK_PLACES_MAX,
    extended,
    with_items,
    with_link_places,
    with_places,
)
from stream_rec.model.ids import ItemIds
from stream_rec.model.items import Items
from stream_rec.model.users import FIRST_USERS, Users


def test_longer_rows_keep_what_was_there_and_add_unseen_items() -> None:
    rows = empty_item_rows(3, n_half_lives=2, n_factors=4, n_link_places=8, links_max=8)
    for name in OWN_COLUMNS:
        getattr(rows, name)[:] = 7
    rows.links.start[:], rows.links.neighbour[:] = [0, 2, 5], np.arange(8)
    longer = with_items(rows, 5)
    unseen = empty_item_rows(5, n_half_lives=2, n_factors=4, n_link_places=8, links_max=8)
    for name in OWN_COLUMNS:
        assert (getattr(longer, name)[:3] == 7).all(), name
        assert (getattr(longer, name)[3:] == getattr(unseen, name)[3:]).all(), name
    assert longer.links.start.tolist() == [0, 2, 5, 0, 0]
    assert longer.links.length.tolist() == [0] * 5
    assert longer.links.neighbour.tolist() == list(range(8))


@given(
    first=st.integers(0, 50),
    added=st.lists(st.integers(0, 5_000), max_size=6),
    width=st.sampled_from([(), (3,), (2, 2), (0,)]),
    dtype=st.sampled_from(["f4", "f8", "i2", "i8", "u1", "?"]),
    empty=st.sampled_from([0, 1]),
)
def test_columns_that_grow_in_place_are_those_that_are_copied(
    first: int, added: list[int], width: tuple[int, ...], dtype: str, empty: int
) -> None:
    column = np.full((first, *width), empty, dtype)
    copied = column.copy()
    for step, n_rows in enumerate(added):
        column[: len(column) // 2] = copied[: len(column) // 2] = step % 2
        column = extended(column, len(column) + n_rows, empty)
        copied = np.concatenate([copied, np.full((n_rows, *width), empty, dtype)])
        assert np.array_equal(column, copied)
        assert column.dtype == copied.dtype
        assert column.flags.c_contiguous
        assert column.flags.writeable


def test_a_column_is_moved_once() -> None:
    column = extended(np.ones(10), 20)
    at = column.ctypes.data
    for n_rows in (1_000, 100_000, 1_000_000):
        column = extended(column, n_rows)
        assert column.ctypes.data == at


def test_rows_of_an_opened_partition_are_not_moved_when_items_come() -> None:
    items = Items(n_half_lives=1, n_factors=2, links_max=8, separate=True)
    items.ids.slots([f"i{x}" for x in range(5_000)])
    items.reserve_items()
    items.open_partition(0)
    at = [items.own[0].taken.ctypes.data, items.view.top.keys.ctypes.data]
    items.ids.slots([f"more {x}" for x in range(20_000)])
    items.reserve_items()
    assert items.size >= 25_000
    assert [items.own[0].taken.ctypes.data, items.view.top.keys.ctypes.data] == at


def test_profiles_without_event_ids_grow() -> None:
    users = Users(3, 0, 2, 10 * FIRST_USERS, ItemIds(), None)
    hashes = list(range(1, 2 * FIRST_USERS))
    assert len(set(users.slots([(0, hashes)]).tolist())) == len(hashes)


@pytest.mark.skipif(not IS_LINUX, reason="only Linux has them")
@pytest.mark.parametrize("first", [10, HUGE_PAGES_FROM_BYTES])
def test_large_columns_ask_for_huge_pages_once(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(growing, "_ask_for_huge_pages", asked.append)
    column = extended(np.zeros(first, np.uint8), first + 1)
    for _ in range(3):
        column = extended(column, len(column) + HUGE_PAGES_FROM_BYTES)
    assert len(asked) == 1


def test_columns_begin_at_different_lines_of_the_cache() -> None:
    at = [extended(np.zeros(0), 1).ctypes.data % mmap.PAGESIZE for _ in range(50)]
    assert len(set(at)) == len(at)
    assert not any(address % 64 for address in at)


def test_a_column_outgrows_what_was_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "RESERVED_BYTES_MIN", 4_096)
    column = np.arange(10)
    for n_rows in (100, 10_000, 1_000_000):
        column = extended(column, n_rows, -1)
        assert column[:10].tolist() == list(range(10))
        assert (column[10:] == -1).all()


def test_columns_grow_where_address_space_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(mmap.mmap):
        def __new__(cls, *_: object, **__: object) -> None:
            raise OSError(errno.ENOMEM, "out of address space")

    monkeypatch.setattr(mmap, "mmap", Refused)
    column = extended(np.arange(3), 5, 7)
    at = column.ctypes.data
    column = extended(column, 10, 8)
    assert column.tolist() == [0, 1, 2, 7, 7, 8, 8, 8, 8, 8]
    assert column.ctypes.data == at
    assert extended(column, 1_000)[:10].tolist() == [0, 1, 2, 7, 7, 8, 8, 8, 8, 8]


def test_a_pool_of_links_keeps_what_it_holds() -> None:
    links = empty_link_rows(1, 8, 8)
    links.used[0] = 8
    links.near[:] = 5
    larger = with_places(links, 100)
    assert len(larger.near) == 128
    assert larger.near.tolist() == [5] * 8 + [0] * 120
    assert with_places(larger, 1) is larger


def test_rows_with_room_are_the_same_rows() -> None:
    """Whoever holds them for kernels need not take them apart again, which is a millisecond."""
    rows = empty_item_rows(3, n_half_lives=2, n_factors=4, n_link_places=8, links_max=8)
    assert with_link_places(rows, 8) is rows
    assert with_link_places(rows, 9) is not rows


def test_links_beyond_what_rows_can_name_are_refused() -> None:
    links = empty_link_rows(1, 8, 8)
    with pytest.raises(StateError, match=r"lower model\.links_per_item_max"):
        with_places(links, LINK_PLACES_MAX + 1)
