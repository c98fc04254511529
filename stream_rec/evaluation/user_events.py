"""Which events are a user's own, by position, so that kernels can walk a history backwards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class UserEvents(NamedTuple):
    """The events of every user in time order; those of user u are event[start[u]:start[u + 1]].

    Attributes
    ----------
    start : int64[U + 1]
    event : int32[E]
        Positions in the log, ascending for each user.
    place : int32[E]
        Where each event of the log stands in `event`.
    """

    start: NDArray[np.int64]
    event: NDArray[np.int32]
    place: NDArray[np.int32]


def user_events(user: NDArray[np.int32], n_users: int) -> UserEvents:
    """Collect the events of each user.

    Parameters
    ----------
    user : int32[E]
        Of each event, in time order.
    n_users : int

    Examples
    --------
    >>> user_events(np.array([0, 1, 0], np.int32), 2).event.tolist()
    [0, 2, 1]
    """
    event = np.argsort(user, kind="stable").astype(np.int32)
    start = np.searchsorted(user[event], np.arange(n_users + 1)).astype(np.int64)
    place = np.zeros(len(user), np.int32)
    place[event] = np.arange(len(user), dtype=np.int32)
    return UserEvents(start, event, place)
