"""The index of slots by hash against a dictionary, above all where many hashes want one place."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.hash_index import (
    EMPTY,
    empty_index,
    find,
    find_all,
    find_or_add,
    with_slots,
)

N_SLOTS = 4
LOW_BITS = st.sampled_from([0, 1, 7, (1 << 64) - 1])
COLLIDING = st.builds(lambda low, high: (low ^ high << 32) % (1 << 64), LOW_BITS, st.integers(0, 9))


@given(st.lists(st.lists(COLLIDING, max_size=20), max_size=5))
def test_slots_are_those_of_a_dictionary_in_order_of_first_sight(batches: list[list[int]]) -> None:
    index, n_used, expected = empty_index(N_SLOTS), 0, dict[int, int]()
    for batch in batches:
        wanted, slots, done = np.array(batch, np.uint64), np.empty(len(batch), np.int32), 0
        while True:
            done, n_used = find_or_add(index, n_used, wanted, slots, done)
            if done == len(batch):
                break
            assert n_used == len(index.hashes), "stopped although there is room"
            index = with_slots(index, n_used, 2 * n_used)
        assert slots.tolist() == [expected.setdefault(h, len(expected)) for h in batch]
        assert n_used == len(expected)
    assert index.hashes[:n_used].tolist() == list(expected)
    assert [find(index, np.uint64(h)) for h in expected] == list(expected.values())


@given(st.sets(COLLIDING, max_size=N_SLOTS), COLLIDING)
def test_hash_never_seen_has_no_slot(known: set[int], other: int) -> None:
    index = empty_index(N_SLOTS)
    wanted = np.array(sorted(known - {other}), np.uint64)
    find_or_add(index, 0, wanted, np.empty(len(wanted), np.int32), 0)
    assert find(index, np.uint64(other)) == EMPTY
    slots = np.empty(len(wanted) + 1, np.int32)
    find_all(index, np.append(np.uint64(other), wanted), slots)
    assert slots.tolist() == [EMPTY, *range(len(wanted))]


def test_what_is_known_needs_no_room() -> None:
    index, wanted = empty_index(N_SLOTS), np.array([5, 6, 7, 8], np.uint64)
    slots = np.empty(N_SLOTS, np.int32)
    assert find_or_add(index, 0, wanted, slots, 0) == (N_SLOTS, N_SLOTS)
    assert find_or_add(index, N_SLOTS, wanted[::-1].copy(), slots, 0) == (N_SLOTS, N_SLOTS)
    assert slots.tolist() == [3, 2, 1, 0]
