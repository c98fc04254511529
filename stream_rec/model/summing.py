"""Sum rows of partitions into the view's, item by item.

The rows of an item are added in partition order, so the sum of the same rows is the same bytes
wherever and whenever it is computed. Links are merged as a whole: all counts of a neighbour are
added up, then the strongest `links_max` are kept, heaviest first, ties in order of partition and
place. So a merged row is exact while it has at most that many neighbours; beyond, what it lacks is
weaker than all that it holds (mergeable summaries: Agarwal et al., PODS 2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.decay import add_log2
from stream_rec.kernels.item_rows import BIAS_SQUARES_START, NO_OFFSET, ItemRows, is_empty
from stream_rec.kernels.jit import allocating_kernel, zero
from stream_rec.kernels.links import COUNT_MAX, FIRST_BLOCK, LinkRows, reserve
from stream_rec.model.ratings import add_rating


class Part(NamedTuple):
    """The rows of one partition, and where in them the items to be summed are.

    Attributes
    ----------
    rows : ItemRows
    places : int64[n]
        −1 where the partition has no row of the item.
    """

    rows: ItemRows
    places: NDArray[np.int64]


class Links(NamedTuple):
    """Columns of links, one item after the other."""

    neighbour: NDArray[np.int32]
    near: NDArray[np.int32]
    wide: NDArray[np.int32]
    after: NDArray[np.int32]


def count_links(parts: Sequence[Part], n_items: int) -> NDArray[np.int64]:
    """Return the number of links of each item in each part: int64[P, n]."""
    lengths = np.zeros((len(parts), n_items), np.int64)
    for p, (rows, places) in enumerate(parts):
        lengths[p] = np.where(places >= 0, rows.links.length[places], 0)
    return lengths


def link_places(lengths: NDArray[np.int64], links_max: int) -> int:
    """Return the most places of a pool that the merged rows of items can take."""
    most = np.minimum(lengths.sum(axis=0), links_max)
    return int(np.maximum(2 * most, FIRST_BLOCK)[most > 0].sum())


def sum_items(
    total: ItemRows,
    items: NDArray[np.int64],
    parts: Sequence[Part],
    lengths: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    marks: NDArray[np.int32],
    links_max: int,
) -> None:
    """Set rows to the sum of the parts.

    Parameters
    ----------
    total : ItemRows
        Modified in place; its pool must have room for `link_places`.
    items : int64[n]
        Slots, each once.
    parts : sequence of Part
        In partition order.
    lengths : int64[P, n]
        From `count_links`.
    hashes : uint64[N]
        Of the items' ids.
    marks : int32[N]
        All 0, and so again afterwards.
    links_max : int
    """
    clear_items(total, items)
    starts = np.zeros_like(lengths)
    links = Links(*np.empty((4, int(lengths.sum())), np.int32))
    first = 0
    for p, (rows, places) in enumerate(parts):
        add_items(total, items, rows, places, hashes)
        starts[p] = first + np.cumsum(lengths[p]) - lengths[p]
        gather_links(rows.links, places, lengths[p], first, links)
        first += int(lengths[p].sum())
    merge_links(total.links, items, starts, lengths, links, marks, links_max)


@allocating_kernel
def clear_items(rows: ItemRows, items: NDArray[np.int64]) -> None:
    """Make rows those of items that nobody has seen; blocks of links are kept for what comes."""
    for item in items:
        rows.taken[item] = 0
        rows.first_s[item] = np.inf
        rows.last_s[item] = -np.inf
        rows.popularity[item] = -np.inf
        rows.bias[item] = 0.0
        rows.bias_squares[item] = BIAS_SQUARES_START
        rows.rating[item] = 0.0
        rows.evidence[item] = 0.0
        rows.links.length[item] = 0
        rows.applied[item] = NO_OFFSET
        rows.durable[item] = NO_OFFSET


@allocating_kernel
def add_items(
    total: ItemRows,
    items: NDArray[np.int64],
    rows: ItemRows,
    places: NDArray[np.int64],
    hashes: NDArray[np.uint64],
) -> None:
    """Add a part to rows, all but links; what is learned by gradient adds as value − start.

    Most items are in few of the parts; the others' rows of them are empty.
    """
    for x in range(len(items)):
        at = places[x]
        if at < 0 or is_empty(rows, at):
            continue
        i = items[x]
        total.taken[i] += rows.taken[at]
        total.first_s[i] = min(total.first_s[i], rows.first_s[at])
        total.last_s[i] = max(total.last_s[i], rows.last_s[at])
        for h in range(rows.popularity.shape[1]):
            total.popularity[i, h] = add_log2(total.popularity[i, h], rows.popularity[at, h])
        total.bias[i] += rows.bias[at]
        total.bias_squares[i] += rows.bias_squares[at] - np.float32(BIAS_SQUARES_START)
        for f in range(rows.evidence.shape[1]):
            total.evidence[i, f] += rows.evidence[at, f]
        add_rating(total.rating[i], rows.rating[at], hashes[i])


@allocating_kernel
def gather_links(
    rows: LinkRows,
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
    first: int,
    links: Links,
) -> None:
    """Copy the links of rows into columns, from `first` on."""
    for x in range(len(places)):
        start = rows.start[places[x]] if lengths[x] > 0 else 0
        for place in range(start, start + lengths[x]):
            links.neighbour[first] = rows.neighbour[place]
            links.near[first] = rows.near[place]
            links.wide[first] = rows.wide[place]
            links.after[first] = rows.after[place]
            first += 1


@allocating_kernel
def merge_links(
    rows: LinkRows,
    items: NDArray[np.int64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    links: Links,
    marks: NDArray[np.int32],
    links_max: int,
) -> None:
    """Set link rows to the merged links of all parts.

    Parameters
    ----------
    rows : LinkRows
        Modified in place; must have room.
    items : int64[n]
    starts, lengths : int64[P, n]
        Where in `links` those of an item in a part are.
    links : Links
        Used up.
    marks : int32[N]
        All 0, and so again afterwards.
    links_max : int
    """
    n_most = 0
    for x in range(len(items)):
        n_most = max(n_most, lengths[:, x].sum())
    merged = np.empty(n_most, np.int64)
    for x in range(len(items)):
        n = zero()
        for p in range(len(starts)):
            for place in range(starts[p, x], starts[p, x] + lengths[p, x]):
                neighbour = links.neighbour[place]
                if marks[neighbour] == 0:
                    merged[n] = place
                    n += 1
                    marks[neighbour] = n
                else:
                    other = merged[marks[neighbour] - 1]
                    links.near[other] = min(links.near[other] + links.near[place], COUNT_MAX)
                    links.wide[other] = min(links.wide[other] + links.wide[place], COUNT_MAX)
                    links.after[other] = min(links.after[other] + links.after[place], COUNT_MAX)
        for y in range(n):
            marks[links.neighbour[merged[y]]] = 0
        n_kept = _keep_strongest(merged, n, links.wide, links_max)
        item = items[x]
        rows.length[item] = 0
        reserve(rows, item, n_kept)
        rows.length[item] = n_kept
        for y in range(n_kept):
            place, source = rows.start[item] + y, merged[y]
            rows.neighbour[place] = links.neighbour[source]
            rows.near[place] = links.near[source]
            rows.wide[place] = links.wide[source]
            rows.after[place] = links.after[source]


@allocating_kernel
def _keep_strongest(
    merged: NDArray[np.int64], n: int, wide: NDArray[np.int32], n_wanted: int
) -> int:
    """Put the places of the heaviest links first, in order; return how many are kept.

    Sorted are numbers of which the upper half is the weight and the lower one the place in
    `merged`: so ties stay in order, and numba compiles one sort.
    """
    key = np.empty(n, np.int64)
    for y in range(n):
        key[y] = (-np.int64(wide[merged[y]]) << 32) + y
    key.sort()
    n_kept = min(n, n_wanted)
    sorted_places = np.empty(n_kept, np.int64)
    for y in range(n_kept):
        sorted_places[y] = merged[key[y] & 0xFFFFFFFF]
    for y in range(n_kept):
        merged[y] = sorted_places[y]
    return n_kept
