"""A kernel sees what is held, and no other arrays than those that the tuple has now."""

from __future__ import annotations

import gc

import numpy as np

from stream_rec.kernels.hash_index import HashIndex
from stream_rec.kernels.held import Held, Holder
from stream_rec.kernels.jit import allocating_kernel


@allocating_kernel
def _add_first(held: Held[HashIndex], number: int) -> int:
    index = held.value
    index.table[0] += number
    return int(index.hashes[0]) + int(index.table[0])


def _index(*numbers: int) -> HashIndex:
    """A tuple of two arrays of the package: what is held is compiled and kept for its type."""
    return HashIndex(
        np.full(100_000, numbers[0], np.uint64), np.full(100_000, numbers[1], np.int32)
    )


def test_a_kernel_changes_the_arrays_themselves() -> None:
    index = _index(10, 0)

    assert _add_first(Holder[HashIndex]().of(index), 1) == 11
    assert index.table[:2].tolist() == [1, 0]


def test_it_is_taken_apart_anew_only_when_a_part_is_another() -> None:
    index, other, holder = _index(1, 2), _index(10, 20), Holder[HashIndex]()
    held = holder.of(index)

    assert holder.of(HashIndex(*index)) is held
    assert holder.of(HashIndex(index.hashes, other.table)) is not held
    assert _add_first(holder.of(HashIndex(index.hashes, other.table)), 0) == 21


def test_arrays_live_as_long_as_they_are_held() -> None:
    held = Holder[HashIndex]().of(_index(3, 4))
    gc.collect()
    others = [_index(5, 5) for _ in range(4)]

    assert _add_first(held, 0) == 7
    assert len(others) == 4
