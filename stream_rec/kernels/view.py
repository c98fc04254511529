"""The item view: the sum of the rows of all partitions, and what is derived from it for ranking.

Derived columns can be computed anew from the rows at any time; they are kept up so that ranking
need not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.decay import add_log2, decayed_weight, replace_log2
from stream_rec.kernels.item_rows import NO_ITEM, WEIGHT_UNIT, ItemRows
from stream_rec.kernels.jit import inner_kernel, kernel
from stream_rec.kernels.slim import SlimRows, empty_slim_rows
from stream_rec.kernels.toplist import TopLists, empty_top_lists, raise_key, set_key

TOP_LENGTH = 200
"""Length of the sorted lists: more than are proposed, because seen items are passed over."""


class ItemView(NamedTuple):
    """Columns over N item slots; H finite half-lives, F factors.

    Attributes
    ----------
    rows : ItemRows
        The sum over partitions; the partition's own rows where there is only one.
    top : TopLists
        List h < H: by popularity at half-life h; list H: by count; list H + 1: by time of first
        sight.
    total : float64[H + 1]
        Log2 of the summed popularity over all items, per list.
    damping : float32[N]
        count^(−1/4), by which a source's value is multiplied for candidates.py; 1 for a
        listed item without a positive event, 0 for one that is not listed: its row or its id has
        not come here yet.
    factor : float32[N, F]
        Implicit item factors, solved from the evidence.
    slim : SlimRows
        What each item is told by, solved from the links.
    item_gram : float64[F, F]
        Σ q qᵀ over the items seen.
    n_seen : int64[1]
        Number of items seen.
    beside : int32[N, 2]
        The items before and behind each in the order of ids, those of events under way among them,
        listed or not; NO_ITEM where there is none.
    """

    rows: ItemRows
    top: TopLists
    total: NDArray[np.float64]
    damping: NDArray[np.float32]
    factor: NDArray[np.float32]
    slim: SlimRows
    item_gram: NDArray[np.float64]
    n_seen: NDArray[np.int64]
    beside: NDArray[np.int32]


def empty_view(rows: ItemRows, n_factors: int) -> ItemView:
    """Allocate the derived columns over `rows`, which must be empty."""
    n_items, n_half_lives = rows.popularity.shape
    return ItemView(
        rows=rows,
        top=empty_top_lists(n_items, n_half_lives + 2, TOP_LENGTH),
        total=np.full(n_half_lives + 1, -np.inf),
        damping=np.zeros(n_items, np.float32),
        factor=np.zeros((n_items, n_factors), np.float32),
        slim=empty_slim_rows(n_items),
        item_gram=np.zeros((n_factors, n_factors)),
        n_seen=np.zeros(1, np.int64),
        beside=np.full((n_items, 2), NO_ITEM, np.int32),
    )


@kernel
def is_listed(view: ItemView, item: int) -> bool:
    """Tell whether an item has been seen, in any partition."""
    return bool(view.top.keys[item, view.top.items.shape[0] - 1] > -np.inf)


@kernel
def list_new_item(view: ItemView, item: int) -> None:
    """Enter an item just seen for the first time into the list of the newest."""
    raise_key(view.top, view.top.items.shape[0] - 1, item, view.rows.first_s[item])
    view.damping[item] = 1.0
    view.n_seen[0] += 1


@inner_kernel
def note_earlier_sight(view: ItemView, item: int) -> None:
    """Move a listed item among the newest after an event that is older than those before it.

    At the end of the list one may be missing then, until it is filled anew.
    """
    newest = view.top.items.shape[0] - 1
    if view.rows.first_s[item] < view.top.keys[item, newest]:
        set_key(view.top, newest, item, view.rows.first_s[item])


@kernel
def refresh_popularity(
    view: ItemView, item: int, time_s: float, weight: int, half_lives_s: NDArray[np.float64]
) -> None:
    """Bring lists, totals and damping up to date after `count_item` changed the view's row."""
    log2_weight = np.log2(weight / WEIGHT_UNIT)
    n_half_lives = len(half_lives_s)
    for h in range(n_half_lives):
        raise_key(view.top, h, item, view.rows.popularity[item, h])
        view.total[h] = add_log2(
            view.total[h], log2_weight + decayed_weight(time_s, half_lives_s[h])
        )
    count = view.rows.taken[item] / WEIGHT_UNIT
    raise_key(view.top, n_half_lives, item, np.log2(count))
    view.total[n_half_lives] = add_log2(view.total[n_half_lives], log2_weight)
    view.damping[item] = count ** np.float32(-0.25)


@kernel
def refresh_items(
    view: ItemView,
    items: NDArray[np.int64],
    is_named: NDArray[np.bool_],
    list_is_short: NDArray[np.bool_],
) -> None:
    """Bring lists, totals and damping up to date after rows of the view were summed anew.

    Parameters
    ----------
    view : ItemView
        Modified in place. A total that cannot be kept up becomes NaN.
    items : int64[n]
        Whose rows were summed.
    is_named : bool[n]
        Whether the id of each is known; an item without one is listed nowhere.
    list_is_short : bool[H + 2]
        Set where a list has to be filled anew.
    """
    rows = view.rows
    n_half_lives = rows.popularity.shape[1]
    for x in range(len(items)):
        item = items[x]
        was_listed = is_listed(view, item)
        count = rows.taken[item] / WEIGHT_UNIT
        for which in range(n_half_lives + 2):
            key = -np.inf
            if is_named[x]:
                if which < n_half_lives:
                    key = rows.popularity[item, which]
                elif which == n_half_lives and count > 0:
                    key = np.log2(count)
                elif which > n_half_lives and rows.first_s[item] < np.inf:
                    key = rows.first_s[item]
            if which <= n_half_lives:
                view.total[which] = replace_log2(view.total[which], view.top.keys[item, which], key)
            if set_key(view.top, which, item, key):
                list_is_short[which] = True
        view.damping[item] = count ** np.float32(-0.25) if count > 0 else 1.0
        if not is_listed(view, item):
            view.damping[item] = 0.0
        view.n_seen[0] += np.int64(is_listed(view, item)) - np.int64(was_listed)
