"""Sorted lists of the items with the largest keys, kept up one change at a time.

A key may only rise (a forward-decayed popularity, a time of first sight), so the one item whose key
changed is the only one that can move, and it moves up: an update costs the places it climbs.

    items[l]        item slots, largest key first, −1 where the list is not full
    position[i, l]  the place of item i in list l, −1 if it is not there
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import kernel


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


def rebuild(lists: TopLists, n_items: int) -> None:
    """Fill the lists anew from the keys of the first `n_items` items, ties by item slot."""
    lists.items[:] = -1
    lists.position[:] = -1
    length = lists.items.shape[1]
    for which in range(lists.items.shape[0]):
        keys = lists.keys[:n_items, which]
        order = np.argsort(-keys, kind="stable")[:length]
        order = order[np.isfinite(keys[order])]
        lists.items[which, : len(order)] = order
        lists.position[order, which] = np.arange(len(order))
