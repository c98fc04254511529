"""Sorted lists kept up change by change against sorting everything."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.toplist import TopLists, empty_top_lists, raise_key, rebuild
from tests.kernels.strategies import long_lists

N_ITEMS = 12
raises = long_lists(
    st.tuples(st.integers(0, N_ITEMS - 1), st.integers(0, 1), st.integers(0, 5)), 80
)
lengths = st.integers(1, N_ITEMS + 2)


def raised(changes: list[tuple[int, int, int]], length: int) -> TopLists:
    """Apply rises of the keys of items in either of two lists."""
    lists = empty_top_lists(N_ITEMS, 2, length)
    for item, which, rise in changes:
        present = lists.keys[item, which]
        key = float(rise) if np.isinf(present) else present + rise
        is_in = raise_key(lists, which, item, key)
        assert is_in == (item in lists.items[which])
    return lists


def keys_of(lists: TopLists, which: int) -> list[float]:
    items = lists.items[which]
    return lists.keys[items[items >= 0], which].tolist()


@given(raises, lengths)
def test_list_holds_the_largest_keys_in_order(
    changes: list[tuple[int, int, int]], length: int
) -> None:
    lists = raised(changes, length)
    for which in range(2):
        keys = lists.keys[:, which]
        expected = sorted(keys[np.isfinite(keys)].tolist(), reverse=True)
        assert keys_of(lists, which) == expected[:length]


@given(raises, lengths)
def test_positions_say_where_items_are(changes: list[tuple[int, int, int]], length: int) -> None:
    lists = raised(changes, length)
    for which in range(2):
        items = lists.items[which].tolist()
        assert items == sorted(items, key=lambda item: item < 0), "empty places are last"
        listed = [item for item in items if item >= 0]
        assert len(set(listed)) == len(listed)
        expected = [items.index(item) if item in listed else -1 for item in range(N_ITEMS)]
        assert lists.position[:, which].tolist() == expected


@given(raises, lengths)
def test_rebuilding_changes_ties_only(changes: list[tuple[int, int, int]], length: int) -> None:
    lists = raised(changes, length)
    kept = [keys_of(lists, which) for which in range(2)]
    rebuild(lists, N_ITEMS)
    assert [keys_of(lists, which) for which in range(2)] == kept
    for which in range(2):
        items = lists.items[which]
        listed = items[items >= 0]
        pairs = [(-lists.keys[item, which], item) for item in listed]
        assert pairs == sorted(pairs), "ties by item slot"
        assert lists.position[listed, which].tolist() == list(range(len(listed)))
        assert np.count_nonzero(lists.position[:, which] >= 0) == len(listed)


def test_equal_key_does_not_displace_who_came_first() -> None:
    lists = empty_top_lists(3, 1, 2)
    for item in range(3):
        raise_key(lists, 0, item, 1.0)
    assert lists.items[0].tolist() == [0, 1]
