"""Sorted lists of the items with the largest keys, kept up one change at a time.

While events are folded a key only rises (a forward-decayed popularity), so the one item whose key
changed is the only one that can move, and it moves up: an update costs the places it climbs. Rows
summed anew may lower a key too; then the item moves down, and where what follows it is not in the
list, the list has to be filled anew.

    items[l]        item slots, largest key first, −1 where the list is not full
    position[i, l]  the place of item i in list l, −1 if it is not there
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import kernel

ROUNDING = 1e-12
"""Of a key: the same sum in another order differs by less."""


class TopLists(NamedTuple):
    """L lists of up to K items over keys of N items.

    Attributes
    ----------
    keys : float64[N, L]
    items : int32[L, K]
    position : int16[N, L]
    """

    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    position: NDArray[np.int16]


def empty_top_lists(n_items: int, n_lists: int, length: int) -> TopLists:
    """Allocate lists over `n_items` items that nobody has seen yet."""
    return TopLists(
        keys=np.full((n_items, n_lists), -np.inf),
        items=np.full((n_lists, length), -1, np.int32),
        position=np.full((n_items, n_lists), -1, np.int16),
    )


@kernel
def raise_key(lists: TopLists, which: int, item: int, key: float) -> bool:
    """Set the key of one item and move the item up to its place.

    Parameters
    ----------
    lists : TopLists
        Modified in place.
    which, item : int
        The list and the item slot.
    key : float
        Not smaller than the item's present key.

    Returns
    -------
    bool
        Whether the item is in the list now.
    """
    keys, items, position = lists
    keys[item, which] = key
    place = np.int64(position[item, which])
    if place < 0:
        place = items.shape[1] - 1
        last = items[which, place]
        if last >= 0:
            if keys[last, which] >= key:
                return False
            position[last, which] = -1
    while place > 0:
        above = items[which, place - 1]
        if above >= 0 and keys[above, which] >= key:
            break
        items[which, place] = above
        if above >= 0:
            position[above, which] = place
        place -= 1
    items[which, place] = item
    position[item, which] = place
    return True


@kernel
def set_key(lists: TopLists, which: int, item: int, key: float) -> bool:
    """Set the key of one item, to whatever it is now, and move the item to its place.

    A fall by rounding alone (`ROUNDING`, relative) changes the key but no place.

    Parameters
    ----------
    lists : TopLists
        Modified in place.
    which, item : int
        The list and the item slot.
    key : float

    Returns
    -------
    bool
        Whether the list may lack an item now: the caller fills it anew with `rebuild_list`.
    """
    keys, items, position = lists
    before = keys[item, which]
    if key >= before:
        if key > before:
            raise_key(lists, which, item, key)
        return False
    keys[item, which] = key
    place = np.int64(position[item, which])
    if place < 0 or before - key <= ROUNDING * abs(before):
        return False
    last = items.shape[1] - 1
    while place < last:
        below = items[which, place + 1]
        if below < 0 or keys[below, which] <= key:
            break
        items[which, place] = below
        position[below, which] = place
        place += 1
    items[which, place] = item
    position[item, which] = place
    return bool(place == last or key == -np.inf)


def rebuild(lists: TopLists, n_items: int) -> None:
    """Fill all lists anew from the keys of the first `n_items` items, ties by item slot."""
    for which in range(lists.items.shape[0]):
        rebuild_list(lists, which, n_items)


def rebuild_list(lists: TopLists, which: int, n_items: int) -> None:
    """Fill one list anew from the keys of the first `n_items` items, ties by item slot."""
    length = lists.items.shape[1]
    keys = lists.keys[:n_items, which]
    largest = np.arange(n_items)
    if n_items > length:
        bound = np.partition(keys, n_items - length)[n_items - length]
        largest = np.flatnonzero(keys >= bound)
    order = largest[np.argsort(-keys[largest], kind="stable")][:length]
    order = order[np.isfinite(keys[order])]
    lists.items[which] = -1
    lists.position[:, which] = -1
    lists.items[which, : len(order)] = order
    lists.position[order, which] = np.arange(len(order))
