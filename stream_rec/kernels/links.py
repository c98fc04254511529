"""Bounded rows of weighted links between items, in one pool of memory.

Item j's row holds up to `limit` neighbours k with three counts in fixed point:

    near[j→k]   both within a short window of one user's history (undirected)
    wide[j→k]   both within the whole kept history (undirected)
    after[j→k]  k came d places after j, weight 1/d (directed)

What is near or after counts less where a session ended in between, and what is taken again hardly
counts as wide (fold_rows.py). Counts are integers, so sums over partitions are exact. A row starts
with 8 places and doubles up to its limit; freed blocks are kept in free lists by size. On a full
row the newcomer evicts the weakest of a few random probes in the weaker half, drawn from a hash of
the caller's seed: a relative of Space-Saving (Metwally et al. 2005). A link that grows swaps places
with one half-way to the front if it is heavier, which keeps strong links first, so that a scan may
stop early.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.hashing import mix64
from stream_rec.kernels.jit import inline_kernel, kernel, place_of, widen

FIRST_BLOCK = 8
"""Places in the smallest row."""
N_PROBES = 6
"""Random places looked at for the weakest link of a full row; 6 measured as good as 8."""
COUNT_MAX = 2**31 - 1
"""Counts stop here rather than wrap."""


class LinkRows(NamedTuple):
    """Link rows of N items in a pool of M places.

    Attributes
    ----------
    start, length, capacity : int32[N]
        A row is the places ``start[j] : start[j] + length[j]`` of the pool.
    neighbour, near, wide, after : int32[M]
    free : int32[n_sizes]
        Head of the list of free blocks of ``FIRST_BLOCK · 2^s`` places, −1 if empty; `neighbour` of
        a free block's first place names the next one.
    used : int32[1]
        Places handed out so far from the end of the pool.
    """

    start: NDArray[np.int32]
    length: NDArray[np.int32]
    capacity: NDArray[np.int32]
    neighbour: NDArray[np.int32]
    near: NDArray[np.int32]
    wide: NDArray[np.int32]
    after: NDArray[np.int32]
    free: NDArray[np.int32]
    used: NDArray[np.int32]


def empty_link_rows(n_items: int, n_places: int, limit: int) -> LinkRows:
    """Allocate rows without links; `limit` is the largest number of links of a row."""
    n_sizes = size_class(limit) + 1
    return LinkRows(
        start=np.zeros(n_items, np.int32),
        length=np.zeros(n_items, np.int32),
        capacity=np.zeros(n_items, np.int32),
        neighbour=np.zeros(n_places, np.int32),
        near=np.zeros(n_places, np.int32),
        wide=np.zeros(n_places, np.int32),
        after=np.zeros(n_places, np.int32),
        free=np.full(n_sizes, -1, np.int32),
        used=np.zeros(1, np.int32),
    )


@kernel
def size_class(n_places: int) -> int:
    """Return the smallest s with ``FIRST_BLOCK · 2^s ≥ n_places``.

    Examples
    --------
    >>> size_class(8), size_class(9), size_class(256)
    (0, 1, 5)
    """
    size = 0
    while FIRST_BLOCK << size < n_places:
        size += 1
    return size


@kernel
def block_places(n_places: int) -> int:
    """Return the places of the smallest block that holds `n_places` links.

    Examples
    --------
    >>> block_places(1), block_places(9), block_places(256)
    (8, 16, 256)
    """
    return FIRST_BLOCK << size_class(n_places)


@kernel
def reserve(rows: LinkRows, item: int, n_places: int) -> None:
    """Give an item's row room for at least `n_places` links, moving it to a larger block if needed.

    The caller sees to it that the pool has room (``used[0]`` plus the block fits).
    """
    if rows.capacity[item] >= n_places:
        return
    size = size_class(n_places)
    block = rows.free[size]
    if block >= 0:
        rows.free[size] = rows.neighbour[block]
    else:
        block = rows.used[0]
        rows.used[0] += block_places(n_places)
    old = rows.start[item]
    for x in range(rows.length[item]):
        rows.neighbour[block + x] = rows.neighbour[old + x]
        rows.near[block + x] = rows.near[old + x]
        rows.wide[block + x] = rows.wide[old + x]
        rows.after[block + x] = rows.after[old + x]
    release(rows, item)
    rows.start[item] = block
    rows.capacity[item] = block_places(n_places)


@kernel
def release(rows: LinkRows, item: int) -> None:
    """Return the block of an item's row to the free list; `length` stays for the caller to set."""
    if rows.capacity[item] > 0:
        size = size_class(rows.capacity[item])
        rows.neighbour[rows.start[item]] = rows.free[size]
        rows.free[size] = rows.start[item]
        rows.capacity[item] = 0


@kernel
def find_link(rows: LinkRows, item: int, neighbour: int) -> int:
    """Return the place of the link ``item → neighbour`` in the pool, −1 if there is none."""
    return find_place(rows.neighbour, rows.start[item], rows.length[item], neighbour)


@inline_kernel
def find_place(neighbours: NDArray[np.int32], start: int, length: int, neighbour: int) -> int:
    """Return where a neighbour is; looking at all as vectors takes a fifth of stopping there."""
    wanted, found = np.int32(neighbour), np.int32(-1)
    for place in range(place_of(start), place_of(start + length)):
        found = max(found, np.int32(place) if neighbours[place] == wanted else np.int32(-1))
    return int(np.int64(found))


@kernel
def add_link(
    rows: LinkRows,
    item: int,
    neighbour: int,
    near: int,
    wide: int,
    after: int,
    limit: int,
    seed: np.uint64,
) -> None:
    """Add to the counts of ``item → neighbour``, taking or evicting a place if the link is new.

    Parameters
    ----------
    rows : LinkRows
        Modified in place; must have room for the row to double.
    item, neighbour : int
        Item slots.
    near, wide, after : int
        What to add, in fixed point, not negative.
    limit : int
        The largest number of links of a row.
    seed : uint64
        Decides the probes of an eviction; derive it from (partition, offset, item id), not from the
        slot, which differs between processes.
    """
    place = find_link(rows, item, neighbour)
    if place < 0:
        place = _take_place(rows, item, limit, seed)
        rows.neighbour[place] = neighbour
        rows.near[place] = 0
        rows.wide[place] = 0
        rows.after[place] = 0
    rows.near[place] = min(int(rows.near[place]) + near, COUNT_MAX)
    rows.wide[place] = min(int(rows.wide[place]) + wide, COUNT_MAX)
    rows.after[place] = min(int(rows.after[place]) + after, COUNT_MAX)
    _move_forward(rows, rows.start[item], place)


@inline_kernel
def _take_place(rows: LinkRows, item: int, limit: int, seed: np.uint64) -> int:
    """Return a place for a new link: a free one, or that of the weakest link probed."""
    length = int(rows.length[item])
    if length < limit:
        reserve(rows, item, length + 1)
        rows.length[item] = length + 1
        return int(rows.start[item]) + length
    half = length // 2
    n_weaker = np.uint64(length - half)
    is_power_of_2 = n_weaker & (n_weaker - np.uint64(1)) == 0  # as usual: then without a division
    draw, weakest = seed, -1
    for _ in range(N_PROBES):
        draw = mix64(draw)
        drawn = draw & (n_weaker - np.uint64(1)) if is_power_of_2 else draw % n_weaker
        place = int(rows.start[item]) + half + int(drawn)
        if weakest < 0 or rows.wide[place] < rows.wide[weakest]:
            weakest = place
    return weakest


@inline_kernel
def _move_forward(rows: LinkRows, start: int, place: int) -> None:
    """Swap a link with the one half-way to the front if it is heavier."""
    x = place - start
    if x == 0:
        return
    other = start + (x // 2 if x > FIRST_BLOCK else x - 1)
    if rows.wide[place] <= rows.wide[other]:
        return
    for column in (rows.neighbour, rows.near, rows.wide, rows.after):
        column[place], column[other] = column[other], column[place]


@kernel
def load_links(
    rows: LinkRows,
    items: NDArray[np.int32],
    lengths: NDArray[np.int64],
    neighbour: NDArray[np.int32],
    near: NDArray[np.int32],
    wide: NDArray[np.int32],
    after: NDArray[np.int32],
    limit: int,
) -> None:
    """Set the rows of `items` to the links given, one row after the other; the pool must have room.

    Of a row with more than `limit` links the first ones are kept, which are the strong ones.

    Parameters
    ----------
    rows : LinkRows
        Modified in place.
    items : int32[n]
    lengths : int64[n]
        Links of each row.
    neighbour, near, wide, after : int32[sum of lengths]
    limit : int
        The largest number of links of a row.
    """
    first = 0
    for x in range(len(items)):
        item, length = widen(items[x]), min(lengths[x], limit)
        rows.length[item] = 0
        reserve(rows, item, length)
        for y in range(length):
            place = rows.start[item] + y
            rows.neighbour[place] = neighbour[first + y]
            rows.near[place] = near[first + y]
            rows.wide[place] = wide[first + y]
            rows.after[place] = after[first + y]
        rows.length[item] = length
        first += lengths[x]


def places_of(rows: LinkRows, items: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places in the pool of the links of `items`, one row after the other."""
    lengths = rows.length[items].astype(np.int64)
    ends = np.cumsum(lengths)
    first = np.repeat(rows.start[items] - (ends - lengths), lengths)
    return first + np.arange(len(first))
