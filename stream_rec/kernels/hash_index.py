"""Slots by 64-bit hash: open addressing with linear probing (Knuth, TAOCP 3, section 6.4).

    hashes[s]  the hash of slot s
    table[p]   a slot, `EMPTY` where there is none; that of hash h is at p = h mod len(table), or
               after it without an empty place between

The hashes are good ones (XXH3), so their low bits are taken as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel

EMPTY = -1
PLACES_PER_SLOT = 2


class HashIndex(NamedTuple):
    """Up to N slots.

    Attributes
    ----------
    hashes : uint64[N]
    table : int32[at least PLACES_PER_SLOT · N, a power of two]
    """

    hashes: NDArray[np.uint64]
    table: NDArray[np.int32]


def empty_index(n_slots: int) -> HashIndex:
    """Allocate an index for so many slots."""
    n_places = 1 << (PLACES_PER_SLOT * n_slots - 1).bit_length()
    return HashIndex(np.zeros(n_slots, np.uint64), np.full(n_places, EMPTY, np.int32))


def with_slots(index: HashIndex, n_used: int, n_slots: int) -> HashIndex:
    """Return an index for more slots that holds the first `n_used` of this one."""
    larger = empty_index(n_slots)
    hashes = index.hashes[:n_used]
    find_or_add(larger, 0, hashes, np.empty(n_used, np.int32), 0)
    return larger


@kernel
def find(index: HashIndex, wanted: np.uint64) -> int:
    """Return the slot of a hash, `EMPTY` if it has none."""
    return int(index.table[_place(index, wanted)])


@kernel
def find_all(index: HashIndex, wanted: NDArray[np.uint64], slots: NDArray[np.int32]) -> None:
    """Write the slots of hashes, `EMPTY` for those that have none: int32[n]."""
    for x in range(len(wanted)):
        slots[x] = index.table[_place(index, wanted[x])]


@kernel
def find_or_add(
    index: HashIndex,
    n_used: int,
    wanted: NDArray[np.uint64],
    slots: NDArray[np.int32],
    first: int,
) -> tuple[int, int]:
    """Look up hashes from `first` on and give the next slots to new ones, as far as there are any.

    Parameters
    ----------
    index : HashIndex
        Modified in place.
    n_used : int
        Slots given so far.
    wanted : uint64[n]
    slots : int32[n]
        Written.
    first : int

    Returns
    -------
    tuple of int
        The first hash not looked up, n at the end, and the slots given by then.
    """
    hashes, table = index
    for x in range(first, len(wanted)):
        place = _place(index, wanted[x])
        if table[place] == EMPTY:
            if n_used == len(hashes):
                return x, n_used
            hashes[n_used] = wanted[x]
            table[place] = n_used
            n_used += 1
        slots[x] = table[place]
    return len(wanted), n_used


@inner_kernel
def _place(index: HashIndex, wanted: np.uint64) -> int:
    """Return where the slot of a hash is in the table, or is to be."""
    hashes, table = index
    mask = np.uint64(len(table) - 1)
    place = wanted & mask
    while table[place] != EMPTY and hashes[table[place]] != wanted:
        place = (place + np.uint64(1)) & mask
    return int(np.int64(place))
