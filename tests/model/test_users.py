"""Profiles survive encoding; the cache of profiles is bounded and never loses a change."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.errors import RowFormatError
from stream_rec.kernels.profiles import ProfileRows, is_duplicate, note_event_id
from stream_rec.model.ids import ItemIds, hash_id
from stream_rec.model.profile_codec import decode_profile, encode_profiles
from stream_rec.model.rows import PROFILE, PROFILE_TYPE, row_key
from stream_rec.model.users import Users
from tests.kernels.test_profiles import history_of
from tests.model.states import empty_items, empty_users, fill_profile

seeds = st.integers(0, 10**6)
event_counts = st.integers(0, 70)
KEY = row_key(PROFILE, hash_id("ann"))
AT_LENGTHS = PROFILE_TYPE.fields["n_rating"][1]  # type: ignore[index]


def row_at(profiles: ProfileRows, ids: ItemIds, user: int) -> bytes:
    [row] = encode_profiles(profiles, ids, np.array([user]))
    return row


def encoded(seed: int = 1, n_events: int = 20, **changes: object) -> bytes:
    items = empty_items()
    users = empty_users(items, **changes)
    return row_at(users.rows, items.ids, fill_profile(users, items, "ann", seed, n_events))


def loaded(row: bytes, order: int = 0, **changes: object) -> tuple[Users, int]:
    """Read a profile in a process that knows other items under other slots."""
    items = empty_items()
    for x in np.random.default_rng(order).permutation(60)[:40]:
        items.ids.slot(f"item {x}")
    users = empty_users(items, read_profiles=lambda _, keys: [row for _ in keys], **changes)
    return users, int(users.slots([(0, [hash_id("ann")])])[0])


@given(seeds, event_counts, seeds)
def test_profile_survives_encoding_whatever_the_slots(seed: int, n_events: int, order: int) -> None:
    row = encoded(seed, n_events)
    users, user = loaded(row, order)
    assert row_at(users.rows, users._ids, user) == row
    assert users.rows.durable[user] == users.rows.applied[user] == n_events
    assert users.rows.dirty[user] == 0


@given(st.lists(st.tuples(seeds, event_counts), max_size=4))
def test_many_profiles_are_encoded_as_each_alone(filled: list[tuple[int, int]]) -> None:
    items = empty_items()
    users = empty_users(items)
    slots = [fill_profile(users, items, f"u{x}", *how) for x, how in enumerate(filled)]
    together = encode_profiles(users.rows, items.ids, np.array(slots, np.int64))
    assert together == [row_at(users.rows, items.ids, slot) for slot in slots]


@given(seeds, event_counts)
def test_loading_over_an_old_profile_leaves_nothing_of_it(seed: int, n_events: int) -> None:
    row = encoded(seed, n_events)
    items = empty_items()
    users = empty_users(items)
    user = fill_profile(users, items, "bob", seed + 1, 50)
    users.reserve_seen_blocks(10)
    decode_profile(users.rows, items.ids, user, KEY, row)
    assert row_at(users.rows, items.ids, user) == row


@pytest.mark.parametrize("history_length", [1, 2, 8])
def test_history_longer_than_configured_is_cut_to_the_newest(history_length: int) -> None:
    items = empty_items()
    before = empty_users(items, history_length=5)
    user = fill_profile(before, items, "ann", 3, 30)
    row = row_at(before.rows, items.ids, user)
    users, now = loaded(row, history_length=history_length)
    names = [users._ids.texts[item] for item, _, _ in history_of(users.rows, now)]
    hashes = items.ids.hashes[before.rows.history_item[user, :history_length]]
    assert users._ids.hashes[users.rows.history_item[now, : len(names)]].tolist() == (
        hashes[: before.rows.n_history[user]].tolist()
    )


@pytest.mark.parametrize("window", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("n_events", [0, 2, 3, 4, 20])
def test_newest_event_ids_stay_known_under_another_window(window: int, n_events: int) -> None:
    items = empty_items()
    before = empty_users(items)
    user = fill_profile(before, items, "ann", 5, n_events)
    noted = np.random.default_rng(0).integers(1, 2**63, n_events).tolist()
    before.rows.n_event_ids[user] = 0
    for event_id in noted:
        note_event_id(before.rows, user, event_id)
    users, now = loaded(row_at(before.rows, items.ids, user), duplicate_window=window)
    n_known = min(window, 3, n_events)
    expected = [False] * (n_events - n_known) + [True] * n_known
    assert [is_duplicate(users.rows, now, event_id) for event_id in noted] == expected
    for event_id in range(1, 4):
        note_event_id(users.rows, now, event_id)
        assert is_duplicate(users.rows, now, event_id) == (window > 0)


def damage_length(field: int, count: int) -> Callable[[bytes], bytes]:
    at = AT_LENGTHS + 4 * field
    return lambda row: row[:at] + struct.pack("<I", count) + row[at + 4 :]


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (lambda row: struct.pack("<H", 9) + row[2:], "upgrade the worker"),
        (lambda row: b"", "delete the worker's state folder"),
        (lambda row: row[:-1], "delete the worker's state folder"),
        (lambda row: row + b"x", "delete the worker's state folder"),
        (damage_length(1, 2**32 - 1), "delete the worker's state folder"),
        (damage_length(2, 2**32 - 1), "delete the worker's state folder"),
        (damage_length(3, 0), "delete the worker's state folder"),
        (lambda row: row[:12] + struct.pack("<q", 1) + row[20:], "event ids ever"),
        (lambda row: encoded_with_factors(5), r"set model\.n_factors as it was, or rebuild"),
    ],
)
def test_damaged_profile_is_refused_and_nothing_changed(
    damage: Callable[[bytes], bytes], advice: str
) -> None:
    items = empty_items()
    users = empty_users(items, read_profiles=lambda _, keys: [damage(encoded()) for _ in keys])
    n_blocks = len(users.rows.seen_next)
    with pytest.raises(RowFormatError, match=advice):
        users.slots([(0, [hash_id("ann")])])
    assert (len(users), len(items.ids), users.rows.seen_used[0]) == (0, 0, 0)
    assert len(users.rows.seen_next) == n_blocks
    assert not users.rows.n_history.any()


def encoded_with_factors(n_factors: int) -> bytes:
    items = empty_items()
    users = empty_users(items, n_factors=n_factors)
    return row_at(users.rows, items.ids, fill_profile(users, items, "ann", 1, 20))
