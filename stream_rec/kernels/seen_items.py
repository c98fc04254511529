"""The items that users have seen: chains of blocks in one pool, newest first, bounded per user.

Beyond the bound a user's oldest block is dropped. The columns are those of ProfileRows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel, zero
from stream_rec.kernels.profiles import SEEN_BLOCK, ProfileRows

NO_LIMIT = 2**31 - 1


@inner_kernel
def has_seen(profiles: ProfileRows, user: int, item: int) -> bool:
    """Tell whether an item is among those that a user is remembered to have seen."""
    block = profiles.seen_head[user]
    n_here = (profiles.n_seen[user] - 1) % profiles.seen_item.shape[1] + 1
    while block >= 0:
        for x in range(n_here):
            if profiles.seen_item[block, x] == item:
                return True
        n_here = profiles.seen_item.shape[1]
        block = profiles.seen_next[block]
    return False


@kernel
def add_seen(profiles: ProfileRows, user: int, item: int, seen_max: int) -> None:
    """Note an item that is new to the user; beyond `seen_max` the oldest block is forgotten.

    The newest block is always kept, so a bound below `SEEN_BLOCK` acts like `SEEN_BLOCK` + 1.
    The caller sees to it that the pool has a free block.
    """
    n_seen = profiles.n_seen[user]
    if n_seen >= seen_max:
        n_seen -= _drop_oldest_block(profiles, user)
    if n_seen % SEEN_BLOCK == 0:
        block = profiles.seen_free[0]
        if block >= 0:
            profiles.seen_free[0] = profiles.seen_next[block]
        else:
            block = profiles.seen_used[0]
            profiles.seen_used[0] += 1
        profiles.seen_next[block] = profiles.seen_head[user]
        profiles.seen_head[user] = block
    profiles.seen_item[profiles.seen_head[user], n_seen % SEEN_BLOCK] = item
    profiles.n_seen[user] = n_seen + 1


@kernel
def load_seen(profiles: ProfileRows, user: int, items: NDArray[np.int32]) -> None:
    """Note many items, oldest first, without a bound; the pool must have room for all."""
    for item in items:
        add_seen(profiles, user, item, NO_LIMIT)


@kernel
def read_seen(profiles: ProfileRows, users: NDArray[np.int64], items: NDArray[np.int32]) -> None:
    """Write the items that users have seen, one user after the other, each from the oldest on.

    Added again in this order they give the same chain of blocks.

    Parameters
    ----------
    profiles : ProfileRows
    users : int64[n]
        Slots.
    items : int32[sum of n_seen]
    """
    end = zero()
    for user in users:
        end += profiles.n_seen[user]
        at = end
        block = profiles.seen_head[user]
        n_here = (profiles.n_seen[user] - 1) % SEEN_BLOCK + 1
        while block >= 0:
            at -= n_here
            for x in range(n_here):
                items[at + x] = profiles.seen_item[block, x]
            n_here = SEEN_BLOCK
            block = profiles.seen_next[block]


@inner_kernel
def _drop_oldest_block(profiles: ProfileRows, user: int) -> int:
    """Free the last block of a user's chain, a full one; return how many items it held."""
    block = profiles.seen_head[user]
    before = -1
    while profiles.seen_next[block] >= 0:
        before = block
        block = profiles.seen_next[block]
    if before < 0:
        return 0
    profiles.seen_next[before] = -1
    profiles.seen_next[block] = profiles.seen_free[0]
    profiles.seen_free[0] = block
    return SEEN_BLOCK
