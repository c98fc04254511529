"""Profiles against lists, sets and a bounded deque."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.profiles import (
    SEEN_BLOCK,
    SESSION_GAP_S,
    ProfileRows,
    clear_profiles,
    drop_from_history,
    empty_profile_rows,
    find_in_history,
    is_duplicate,
    note_event_id,
    places_in_session,
    push_history,
)
from stream_rec.kernels.seen_items import add_seen, load_seen
from stream_rec.kernels.visitor_profile import begin_profile
from tests.kernels.strategies import long_lists

users = st.integers(0, 2)
history_changes = long_lists(st.tuples(users, st.integers(0, 8), st.booleans()), 60)
event_ids = long_lists(st.tuples(users, st.integers(0, 6)), 60)
seen_counts = long_lists(users, 150)


def empty(history_length: int = 4, window: int = 3, n_blocks: int = 40) -> ProfileRows:
    return empty_profile_rows(3, history_length, window, 2, n_blocks)


def history_of(profiles: ProfileRows, user: int) -> list[tuple[int, float, int]]:
    n = profiles.n_history[user]
    columns = (profiles.history_item, profiles.history_s, profiles.history_offset)
    return list(zip(*(column[user, :n].tolist() for column in columns), strict=True))


def chain_of(profiles: ProfileRows, user: int) -> list[int]:
    """Return the blocks of a user's seen items, newest first."""
    blocks = []
    block = int(profiles.seen_head[user])
    while block >= 0:
        blocks.append(block)
        block = int(profiles.seen_next[block])
    return blocks


def seen_of(profiles: ProfileRows, user: int) -> list[int]:
    """Return the items seen, oldest first."""
    blocks = chain_of(profiles, user)[::-1]
    return profiles.seen_item[blocks].reshape(-1).tolist()[: profiles.n_seen[user]]


def check_blocks(profiles: ProfileRows) -> None:
    """Assert that each block is in one chain or free, and chains are no longer than needed."""
    free = []
    block = int(profiles.seen_free[0])
    while block >= 0:
        free.append(block)
        block = int(profiles.seen_next[block])
    chains = [chain_of(profiles, user) for user in range(3)]
    assert sorted(sum(chains, free)) == list(range(profiles.seen_used[0]))
    assert [len(chain) for chain in chains] == (-(-profiles.n_seen // SEEN_BLOCK)).tolist()


@pytest.mark.parametrize("history_length", [1, 2, 5])
@given(changes=history_changes)
def test_history_is_the_last_distinct_items_newest_first(
    history_length: int, changes: list[tuple[int, int, bool]]
) -> None:
    profiles = empty(history_length)
    expected: list[list[tuple[int, float, int]]] = [[], [], []]
    for offset, (user, item, is_taken) in enumerate(changes):
        others = [entry for entry in expected[user] if entry[0] != item]
        if is_taken:
            push_history(profiles, user, item, 1e9 - offset, offset)
            expected[user] = [(item, 1e9 - offset, offset), *others][:history_length]
        else:
            drop_from_history(profiles, user, item)
            expected[user] = others
    for user in range(3):
        assert history_of(profiles, user) == expected[user]
        places = {item: place for place, (item, _, _) in enumerate(expected[user])}
        found = {item: find_in_history(profiles, user, item) for item in range(9)}
        assert found == {item: places.get(item, -1) for item in range(9)}


@pytest.mark.parametrize("window", [0, 1, 3])
@given(noted=event_ids)
def test_duplicates_are_the_last_ids_of_the_same_user(
    window: int, noted: list[tuple[int, int]]
) -> None:
    profiles = empty(window=window)
    last: list[deque[int]] = [deque(maxlen=window) for _ in range(3)]
    for user, event_id in noted:
        assert is_duplicate(profiles, user, event_id) == (event_id in last[user])
        note_event_id(profiles, user, event_id)
        if event_id != 0:
            last[user].append(event_id)


@given(seen_counts)
def test_seen_items_are_kept_in_order(noted: list[int]) -> None:
    profiles = empty()
    expected: list[list[int]] = [[], [], []]
    for item, user in enumerate(noted):
        add_seen(profiles, user, item, 10**6)
        expected[user].append(item)
    assert [seen_of(profiles, user) for user in range(3)] == expected
    check_blocks(profiles)


@pytest.mark.parametrize("seen_max", [1, 14, 15, 16, 29, 30, 45])
@given(noted=seen_counts)
def test_bound_of_seen_items_forgets_the_oldest_only(seen_max: int, noted: list[int]) -> None:
    profiles = empty()
    taken: list[list[int]] = [[], [], []]
    for item, user in enumerate(noted):
        add_seen(profiles, user, item, seen_max)
        taken[user].append(item)
        n_seen = int(profiles.n_seen[user])
        assert min(len(taken[user]), seen_max - SEEN_BLOCK + 1) <= n_seen
        assert n_seen <= max(seen_max, SEEN_BLOCK + 1)
        assert seen_of(profiles, user) == taken[user][-n_seen:]
    check_blocks(profiles)


@given(seen_counts, st.integers(0, 50))
def test_loading_gives_what_adding_one_by_one_gives(noted: list[int], n_loaded: int) -> None:
    one_by_one, loaded = empty(), empty()
    for user in noted:
        for profiles in (one_by_one, loaded):
            add_seen(profiles, user, 7, 10**6)
    items = np.arange(100, 100 + n_loaded, dtype=np.int32)
    for item in items:
        add_seen(one_by_one, 1, item, 10**6)
    load_seen(loaded, 1, items)
    assert seen_of(loaded, 1) == seen_of(one_by_one, 1)
    check_blocks(loaded)


@given(seen_counts)
def test_cleared_slot_is_a_new_users_and_frees_its_blocks(noted: list[int]) -> None:
    profiles, untouched = empty(), empty()
    for item, user in enumerate(noted):
        add_seen(profiles, user, item, 10**6)
        push_history(profiles, user, item, 1.0, item)
        note_event_id(profiles, user, item)
        for column in ("n_distinct", "last_s", "rating", "applied", "dirty"):
            getattr(profiles, column)[user] = 1
    kept = seen_of(profiles, 1)
    clear_profiles(profiles, np.array([0, 2]))
    check_blocks(profiles)
    assert seen_of(profiles, 1) == kept
    for column in set(profiles._fields) - {
        "history_item",
        "history_s",
        "history_offset",
        "event_ids",
    }:
        if not column.startswith("seen_") or column == "seen_head":
            cleared, expected = getattr(profiles, column), getattr(untouched, column)
            assert np.array_equal(cleared[[0, 2]], expected[[0, 2]]), column


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 40), st.booleans())
def test_profile_that_begins_with_items_is_that_of_one_who_took_them(
    taken: list[int], seen_max: int, was_used: bool
) -> None:
    begun, stepwise = empty(), empty()
    if was_used:
        push_history(begun, 0, 77, 1.0, 5)
        add_seen(begun, 0, 77, seen_max)
    distinct = list(dict.fromkeys(taken))
    columns = np.array(taken, np.int32), np.array(distinct, np.int32)
    begin_profile(begun, 0, *columns, 9.0, seen_max)
    for item in taken[-seen_max:]:
        push_history(stepwise, 0, item, 9.0, 0)
    for item in distinct:
        add_seen(stepwise, 0, item, seen_max)
    assert history_of(begun, 0) == history_of(stepwise, 0)
    assert seen_of(begun, 0) == seen_of(stepwise, 0)
    assert (begun.n_distinct[0], begun.last_s[0]) == (len(distinct), 9.0)
    check_blocks(begun)


@given(
    st.lists(
        st.sampled_from([-1e5, -500.0, 0.0, 60.0, SESSION_GAP_S, SESSION_GAP_S + 1.0]), max_size=12
    )
)
def test_session_goes_back_to_the_first_long_gap(gaps: list[float]) -> None:
    now_s = 1e9
    history_s = now_s - np.cumsum(gaps)
    n_in_session = next((r for r, gap in enumerate(gaps) if abs(gap) > SESSION_GAP_S), len(gaps))
    assert places_in_session(history_s, len(gaps), now_s) == n_in_session
