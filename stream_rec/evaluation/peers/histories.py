"""The latest distinct items of every user, newest first; an item that is taken again moves up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import allocating_kernel


class Histories(NamedTuple):
    """Histories of U users, at most L items long.

    Attributes
    ----------
    item : int32[U, L]
    length : int32[U]
    """

    item: NDArray[np.int32]
    length: NDArray[np.int32]


def empty_histories(n_users: int, length_max: int) -> Histories:
    """Allocate histories without items."""
    return Histories(np.zeros((n_users, length_max), np.int32), np.zeros(n_users, np.int32))


@allocating_kernel
def push(histories: Histories, user: int, item: int) -> None:
    """Put an item at the head of a user's history; the oldest falls out where it is full."""
    items, length = histories.item[user], histories.length[user]
    place = 0
    while place < length and items[place] != item:
        place += 1
    if place == length:
        if length < len(items):
            histories.length[user] = length + 1
        else:
            place = length - 1
    while place > 0:
        items[place] = items[place - 1]
        place -= 1
    items[0] = item
