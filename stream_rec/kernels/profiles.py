"""What is known of each user: history, seen items, recent event ids, ratings; one column each.

The history holds the last distinct items, newest first; a repeated item moves to the front. The
items a user has seen are kept in chains of small blocks from one pool, newest block first
(seen_items.py). The last few event ids (their hashes) form a ring in which
duplicates are recognised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.jit import kernel, zero

SEEN_BLOCK = 15
"""Items in a block; with the link to the next block 64 bytes, a cache line."""
SESSION_GAP_S = 1800.0
"""A session ends where a user does nothing for half an hour, the usual bound."""


class ProfileRows(NamedTuple):
    """Columns over U user slots; R places of history, D event ids, F factors, B seen blocks.

    Attributes
    ----------
    history_item : int32[U, R]
    history_s : float64[U, R]
        Event time of each entry, in seconds.
    history_offset : int64[U, R]
        Event offset of each entry.
    n_history, n_distinct : int32[U]
        Entries kept, and distinct items ever taken.
    last_s : float64[U]
        The largest event time of the user, −inf before any.
    burst : int32[U]
        Events of late: their number, halved with each minute that ends (bursts.py).
    event_ids : uint64[U, D]
        Hashes of the last event ids, a ring.
    n_event_ids : int64[U]
        Event ids ever noted; the next goes to place ``n_event_ids % D``.
    rating : float32[U, F + 1]
        Bias and factors of explicit ratings; all 0 before the first rating.
    seen_head, n_seen : int32[U]
        First block of the chain (−1: none) and number of items in it.
    applied, durable : int64[U]
        Highest event offset folded in, now and as found on recovery.
    dirty : uint8[U]
    seen_item : int32[B, SEEN_BLOCK]
    seen_next : int32[B]
    seen_free, seen_used : int32[1]
        Head of the list of free blocks, and blocks handed out from the end of the pool.
    """

    history_item: NDArray[np.int32]
    history_s: NDArray[np.float64]
    history_offset: NDArray[np.int64]
    n_history: NDArray[np.int32]
    n_distinct: NDArray[np.int32]
    last_s: NDArray[np.float64]
    burst: NDArray[np.int32]
    event_ids: NDArray[np.uint64]
    n_event_ids: NDArray[np.int64]
    rating: NDArray[np.float32]
    seen_head: NDArray[np.int32]
    n_seen: NDArray[np.int32]
    applied: NDArray[np.int64]
    durable: NDArray[np.int64]
    dirty: NDArray[np.uint8]
    seen_item: NDArray[np.int32]
    seen_next: NDArray[np.int32]
    seen_free: NDArray[np.int32]
    seen_used: NDArray[np.int32]


SEEN_COLUMNS = ("seen_item", "seen_next")
"""Columns over blocks of seen items."""
USER_COLUMNS = tuple(name for name in ProfileRows._fields if not name.startswith("seen_"))
USER_COLUMNS += ("seen_head",)


def empty_profile_rows(
    n_users: int, history_length: int, duplicate_window: int, n_factors: int, n_blocks: int
) -> ProfileRows:
    """Allocate rows of users that nobody has seen."""
    return ProfileRows(
        history_item=np.zeros((n_users, history_length), np.int32),
        history_s=np.zeros((n_users, history_length)),
        history_offset=np.zeros((n_users, history_length), np.int64),
        n_history=np.zeros(n_users, np.int32),
        n_distinct=np.zeros(n_users, np.int32),
        last_s=np.full(n_users, -np.inf),
        burst=np.zeros(n_users, np.int32),
        event_ids=np.zeros((n_users, duplicate_window), np.uint64),
        n_event_ids=np.zeros(n_users, np.int64),
        rating=np.zeros((n_users, n_factors + 1), np.float32),
        seen_head=np.full(n_users, -1, np.int32),
        n_seen=np.zeros(n_users, np.int32),
        applied=np.full(n_users, NO_OFFSET, np.int64),
        durable=np.full(n_users, NO_OFFSET, np.int64),
        dirty=np.zeros(n_users, np.uint8),
        seen_item=np.zeros((n_blocks, SEEN_BLOCK), np.int32),
        seen_next=np.full(n_blocks, -1, np.int32),
        seen_free=np.full(1, -1, np.int32),
        seen_used=np.zeros(1, np.int32),
    )


@kernel
def is_duplicate(profiles: ProfileRows, user: int, event_id: int) -> bool:
    """Tell whether an event id (its hash; 0 = none) is among the user's last ones."""
    if event_id == 0:
        return False
    window = profiles.event_ids.shape[1]
    for x in range(min(window, profiles.n_event_ids[user])):
        if profiles.event_ids[user, x] == event_id:
            return True
    return False


@kernel
def note_event_id(profiles: ProfileRows, user: int, event_id: int) -> None:
    """Put an event id (0 = none) into the user's ring, over the oldest one."""
    window = profiles.event_ids.shape[1]
    if event_id != 0 and window > 0:
        profiles.event_ids[user, profiles.n_event_ids[user] % window] = event_id
        profiles.n_event_ids[user] += 1


@kernel
def push_history(profiles: ProfileRows, user: int, item: int, time_s: float, offset: int) -> None:
    """Put an item at the front; it leaves its old place, or a new one pushes out the oldest."""
    length = profiles.history_item.shape[1]
    n_history = profiles.n_history[user]
    place = find_in_history(profiles, user, item)
    if place < 0:
        place = min(n_history, length - 1)
        profiles.n_history[user] = place + 1
    for x in range(place, 0, -1):
        profiles.history_item[user, x] = profiles.history_item[user, x - 1]
        profiles.history_s[user, x] = profiles.history_s[user, x - 1]
        profiles.history_offset[user, x] = profiles.history_offset[user, x - 1]
    profiles.history_item[user, 0] = item
    profiles.history_s[user, 0] = time_s
    profiles.history_offset[user, 0] = offset


@kernel
def drop_from_history(profiles: ProfileRows, user: int, item: int) -> None:
    """Take a rejected item out of the history, so that it recommends nothing any more."""
    place = find_in_history(profiles, user, item)
    if place < 0:
        return
    n_history = profiles.n_history[user]
    for x in range(place, n_history - 1):
        profiles.history_item[user, x] = profiles.history_item[user, x + 1]
        profiles.history_s[user, x] = profiles.history_s[user, x + 1]
        profiles.history_offset[user, x] = profiles.history_offset[user, x + 1]
    profiles.n_history[user] = n_history - 1


@kernel
def find_in_history(profiles: ProfileRows, user: int, item: int) -> int:
    """Return the place of an item in the user's history, 0 the newest, −1 if it is not there."""
    for x in range(profiles.n_history[user]):
        if profiles.history_item[user, x] == item:
            return x
    return -1


@kernel
def forget_profile(profiles: ProfileRows, user: int) -> None:
    """Forget all of a user; changed and without an event, the slot stands for a removed row."""
    clear_profile(profiles, user)
    profiles.dirty[user] = 1


@kernel
def clear_profiles(profiles: ProfileRows, users: NDArray[np.int64]) -> None:
    """Make many slots those of users nobody has seen."""
    for user in users:
        clear_profile(profiles, user)


@kernel
def clear_profile(profiles: ProfileRows, user: int) -> None:
    """Make a slot that of a user nobody has seen, and free its blocks."""
    block = profiles.seen_head[user]
    while block >= 0:
        following = profiles.seen_next[block]
        profiles.seen_next[block] = profiles.seen_free[0]
        profiles.seen_free[0] = block
        block = following
    profiles.seen_head[user] = -1
    profiles.n_seen[user] = 0
    profiles.n_history[user] = 0
    profiles.n_distinct[user] = 0
    profiles.last_s[user] = -np.inf
    profiles.burst[user] = 0
    profiles.n_event_ids[user] = 0
    profiles.rating[user] = 0.0
    profiles.applied[user] = NO_OFFSET
    profiles.durable[user] = NO_OFFSET
    profiles.dirty[user] = 0


@kernel
def places_in_session(history_s: NDArray[np.float64], n_history: int, time_s: float) -> int:
    """Return how many places of a history, from the newest on, are of one session with a time.

    A session is a chain of events less than `SESSION_GAP_S` apart, in the order in which they came;
    one that came late, of another time, ends it.

    Parameters
    ----------
    history_s : float64[R]
        Event times, newest first; the first `n_history` are valid.
    n_history : int
    time_s : float

    Examples
    --------
    >>> places_in_session(np.array([5000.0, 4000.0, 100.0]), 3, 6000.0)
    2
    """
    n, later_s = zero(), time_s
    while n < n_history and abs(later_s - history_s[n]) <= SESSION_GAP_S:
        later_s = history_s[n]
        n += 1
    return n
