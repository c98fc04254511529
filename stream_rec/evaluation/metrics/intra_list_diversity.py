"""Intra-list diversity: how different the items of one list are, by who takes them.

    ILD(A) = 1 − mean over pairs i ≠ j in A of |U_i ∩ U_j| / √(|U_i| |U_j|)

U_i are the users with an event of item i in the whole log, so no catalogue is needed. 1 when the
items of a list share no user, 0 when all have the same users; lists of fewer than two items do not
count, and over no list it is 0.

Source: Ziegler, McNee, Konstan and Lausen, "Improving recommendation lists through topic
diversification", WWW 2005; cosine of user sets in place of topics.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import allocating_kernel


class ItemUsers(NamedTuple):
    """The distinct users of each item, sorted: those of item i are user[start[i]:start[i + 1]].

    Attributes
    ----------
    start : int64[N + 1]
    user : int32[P]
    """

    start: NDArray[np.int64]
    user: NDArray[np.int32]


def item_users(user: NDArray[np.int32], item: NDArray[np.int32], n_items: int) -> ItemUsers:
    """Collect the users of each item from the events of a log.

    Parameters
    ----------
    user, item : int32[E]
        Codes, not negative.
    n_items : int
    """
    n_users = int(user.max(initial=-1)) + 1
    pairs = np.unique(item.astype(np.int64) * max(n_users, 1) + user)
    pair_item, pair_user = np.divmod(pairs, max(n_users, 1))
    start = np.searchsorted(pair_item, np.arange(n_items + 1))
    return ItemUsers(start.astype(np.int64), pair_user.astype(np.int32))


@allocating_kernel
def intra_list_diversity(lists: NDArray[np.int32], users: ItemUsers) -> float:
    """Return the mean diversity of lists.

    Parameters
    ----------
    lists : int32[L, n]
        Items, −1 where a list is shorter.
    users : ItemUsers
        Items without users have nothing in common with any.
    """
    total = 0.0
    n_counted = 0
    for x in range(lists.shape[0]):
        similarity = 0.0
        n_pairs = 0
        for a in range(lists.shape[1]):
            for b in range(a):
                if lists[x, a] >= 0 and lists[x, b] >= 0:
                    similarity += _cosine(users, lists[x, a], lists[x, b])
                    n_pairs += 1
        if n_pairs:
            total += 1.0 - similarity / n_pairs
            n_counted += 1
    return total / n_counted if n_counted else 0.0


@allocating_kernel
def _cosine(users: ItemUsers, i: int, j: int) -> float:
    x, x_end = users.start[i], users.start[i + 1]
    y, y_end = users.start[j], users.start[j + 1]
    if x == x_end or y == y_end:
        return 0.0
    norm = math.sqrt(float(x_end - x) * float(y_end - y))
    n_shared = 0
    while x < x_end and y < y_end:
        difference = users.user[x] - users.user[y]
        n_shared += difference == 0
        x += difference <= 0
        y += difference >= 0
    return n_shared / norm
