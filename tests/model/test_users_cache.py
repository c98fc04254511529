"""The cache of profiles against a dictionary: bounded, and no change is ever lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.profiles import push_history
from stream_rec.model.rows import hashes_of_keys
from stream_rec.model.users import Users
from tests.kernels.strategies import long_lists
from tests.kernels.test_profiles import history_of
from tests.model.states import empty_items, empty_users

IN_MEMORY_MAX = 10
batches = long_lists(st.lists(st.integers(1, 40), min_size=1, max_size=8), 25)


class Store:
    """A profiles store that counts what is read."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.n_read = 0

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        assert len(set(keys)) == len(keys), "a key is read twice"
        self.n_read += len(keys)
        return [self.rows.get(key) for key in keys]


def cached(store: Store) -> Users:
    items = empty_items()
    for x in range(100):
        items.ids.slot(str(x))
    return empty_users(
        items, in_memory_max=IN_MEMORY_MAX, history_length=100, read_profiles=store.read
    )


def take(users: Users, user: int, item: int, offset: int) -> None:
    push_history(users.rows, user, item, 0.0, offset)
    users.rows.applied[user] = offset
    users.rows.dirty[user] = 1


@given(batches, st.integers(1, 4))
def test_evicted_profiles_come_back_as_they_were(taken: list[list[int]], freeze_every: int) -> None:
    store = Store()
    users = cached(store)
    expected: dict[int, list[int]] = {}
    offset = 0
    for turn, user_hashes in enumerate(taken):
        slots = users.slots([(0, user_hashes)]).tolist()
        assert len(set(slots)) == len(set(user_hashes))
        for user_hash, slot in zip(user_hashes, slots, strict=True):
            assert users.find(0, user_hash) == slot
            history = [item for item, _, _ in history_of(users.rows, slot)]
            assert history == expected.get(user_hash, [])[::-1]
            take(users, slot, offset % 100, offset)
            expected.setdefault(user_hash, []).append(offset % 100)
            offset += 1
        if turn % freeze_every == 0:
            store.rows.update(users.freeze(0))
            assert users.n_dirty(0) == 0


@given(batches)
def test_bound_holds_while_all_is_frozen_in_time(taken: list[list[int]]) -> None:
    store = Store()
    users = cached(store)
    for offset, user_hashes in enumerate(taken):
        for slot in users.slots([(0, user_hashes)]).tolist():
            take(users, slot, 0, offset)
        store.rows.update(users.freeze(0))
        assert len(users) <= IN_MEMORY_MAX


def test_users_of_the_present_batch_are_never_evicted_by_it() -> None:
    users = cached(Store())
    users.slots([(0, list(range(1, 11)))])
    slots = users.slots([(0, [3, *range(100, 130), 3])])
    assert slots[0] == slots[-1]
    assert len(set(slots.tolist())) == 31
    assert users.find(0, 1) is None
    assert users.find(0, 3) == slots[0]


def test_longest_idle_are_evicted_first() -> None:
    users = cached(Store())
    for user_hash in range(1, 11):
        users.slots([(0, [user_hash])])
    users.slots([(0, [1, 2])])
    users.slots([(0, [99])])
    assert [user_hash for user_hash in range(1, 11) if users.find(0, user_hash) is None] == [3]


def test_changed_profiles_are_kept_beyond_the_bound() -> None:
    users = cached(Store())
    for user_hash in range(1, 31):
        take(users, int(users.slots([(0, [user_hash])])[0]), 0, user_hash)
    assert len(users) == 30
    assert set(hashes_of_keys([key for key, _ in users.freeze(0)]).tolist()) == set(range(1, 31))
    users.slots([(0, [99])])
    assert len(users) <= 30


def test_without_a_store_nothing_is_evicted() -> None:
    users = empty_users(empty_items(), in_memory_max=3)
    for user_hash in range(1, 3_000):
        users.slots([(0, [user_hash])])
    assert len(users) == 2_999
    assert len(set(users.slots([(0, list(range(1, 3_000)))]).tolist())) == 2_999


def test_closed_partition_is_forgotten_and_the_others_are_not() -> None:
    users = empty_users(empty_items())
    for partition, user_hash in ((0, 1), (1, 2), (0, 3)):
        take(users, int(users.slots([(partition, [user_hash])])[0]), 0, 5)
    users.close_partition(0)
    assert (users.find(0, 1), users.find(0, 3), len(users)) == (None, None, 1)
    assert (users.n_dirty(0), users.n_dirty(1)) == (0, 1)
    slot = int(users.slots([(0, [1])])[0])
    assert (users.rows.n_history[slot], users.rows.applied[slot], users.rows.dirty[slot]) == (
        0,
        -1,
        0,
    )


def test_who_was_only_asked_about_takes_no_room() -> None:
    users = empty_users(empty_items())
    asked, known = users.slots([(0, [1, 2])]).tolist()
    take(users, known, 0, 0)
    users.drop_if_unknown(asked)
    users.drop_if_unknown(known)
    assert (users.find(0, 1), users.find(0, 2)) == (None, known)
    assert np.array_equal(users.slots([(0, [3])]), [asked])
