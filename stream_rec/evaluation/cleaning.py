"""What is wrong with a recorded log, and what was done: counted, told, and left out if asked.

A *flood* is FLOOD_EVENTS events of one user within a minute: a bot, an import, or a wholesale
basket that was written at once. The log alone cannot tell these apart, so floods are told and kept,
unless they are to be left out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FLOOD_EVENTS = 200
FLOOD_S = 60.0
FAR_SHARE_MAX = 0.1
FAR_S_MIN = 30 * 86_400.0
"""Far are no more than this share of the events, and no less than this from all others."""
NO_EVENT_ID = 0
DISTINCT_SHARE_MIN = 0.5
"""Where fewer of the event ids are distinct, the column is hardly one of event ids."""


class FarTimes(NamedTuple):
    """Events far from all others in time.

    Attributes
    ----------
    n_events : int
    first_s, last_s : float
        Of the other events.
    """

    n_events: int
    first_s: float
    last_s: float


NO_FAR_TIMES = FarTimes(0, 0.0, 0.0)


@dataclass
class Cleaning:
    """What was found in a log, and done about it.

    Attributes
    ----------
    refused : dict of str to int
        Events left out, by the code of the check that refused them.
    first_refusal : dict of str to str
        The reason of the first one of each code.
    first_refused_type : dict of str to str
        Its type, as it is in the log.
    n_ignored : int
        Of unknown types that the configuration ignores.
    has_times : bool
        Whether any event has a time.
    n_forgets : int
        Requests to be forgotten, which an evaluation does not follow.
    n_without_time : int
        Taken to happen at the time of the event before them in the file; those at its beginning at
        the first time that there is.
    n_out_of_order : int
        Events earlier than the one just before them in the file; the log was sorted by time.
    far_times : FarTimes
        What lies far from all other times, and is kept.
    n_known_ids : int
        Events whose id their user had shortly before, left out as the pipeline drops them.
    has_poor_ids : bool
        Whether few of the event ids are distinct.
    n_repeated : int
        Events exactly like an earlier one (user, item, type, value and time) that are no known ids.
    n_bots, n_bot_events : int
        Users that had a flood of events, and all their events.
    drops_repeated, drops_bots : bool
        Whether these were left out; else they are kept.
    """

    refused: dict[str, int] = field(default_factory=dict)
    first_refusal: dict[str, str] = field(default_factory=dict)
    first_refused_type: dict[str, str] = field(default_factory=dict)
    n_ignored: int = 0
    has_times: bool = False
    n_forgets: int = 0
    n_without_time: int = 0
    n_out_of_order: int = 0
    far_times: FarTimes = NO_FAR_TIMES
    n_known_ids: int = 0
    has_poor_ids: bool = False
    n_repeated: int = 0
    n_bots: int = 0
    n_bot_events: int = 0
    drops_repeated: bool = False
    drops_bots: bool = False


def flooding_users(
    user: NDArray[np.int32], time_s: NDArray[np.float64], n_events: int = FLOOD_EVENTS
) -> NDArray[np.int32]:
    """Return the users that ever had so many events within a minute.

    Parameters
    ----------
    user : int32[E]
    time_s : float64[E]
    n_events : int

    Examples
    --------
    >>> flooding_users(np.array([7, 8, 7, 7]), np.array([0.0, 1.0, 30.0, 59.0]), 3).tolist()
    [7]
    """
    order = np.lexsort((time_s, user))
    first, last = order[: len(order) - n_events + 1], order[n_events - 1 :]
    first = first[: len(last)]
    floods = (user[first] == user[last]) & (time_s[last] - time_s[first] < FLOOD_S)
    return np.unique(user[first][floods])


def is_repeated(*columns: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Tell which events have an exactly equal one before them.

    Examples
    --------
    >>> is_repeated(np.array([1, 1, 2, 1]), np.array([5, 6, 5, 5])).tolist()
    [False, False, False, True]
    """
    codes = [np.unique(column, return_inverse=True)[1] for column in columns]
    _, first = np.unique(np.stack(codes, axis=1), axis=0, return_index=True)
    repeated = np.ones(len(columns[0]), np.bool_)
    repeated[first] = False
    return repeated


def find_far_times(time_s: NDArray[np.float64]) -> FarTimes:
    """Find the few events that are further from all others than these are from each other.

    Parameters
    ----------
    time_s : float64[E]
        In order.

    Examples
    --------
    >>> find_far_times(np.array([0.0, *(1.7e9 + 60.0 * x for x in range(99))]))
    FarTimes(n_events=1, first_s=1700000000.0, last_s=1700005880.0)
    """
    first, end = 0, len(time_s)
    allowed = int(FAR_SHARE_MAX * len(time_s))
    while end - first > 1:
        gaps = np.diff(time_s[first:end])
        widest = int(np.argmax(gaps))
        lasts_s = time_s[end - 1] - time_s[first] - gaps[widest]
        n_before, n_after = widest + 1, end - first - widest - 1
        n_apart = min(n_before, n_after)
        if gaps[widest] <= max(lasts_s, FAR_S_MIN) or n_apart > allowed:
            break
        allowed -= n_apart
        if n_before < n_after:
            first += n_before
        else:
            end -= n_after
    n_far = len(time_s) - (end - first)
    return FarTimes(n_far, float(time_s[first]), float(time_s[end - 1])) if n_far else NO_FAR_TIMES


def has_known_id(
    user: NDArray[np.int32], event_id: NDArray[np.uint64], window: int
) -> NDArray[np.bool_]:
    """Tell which events the engine drops: their id is among the last ones of their user.

    Parameters
    ----------
    user : int32[E]
    event_id : uint64[E]
        NO_EVENT_ID where there is none.
    window : int
        Ids that are remembered for each user.

    Examples
    --------
    >>> ids = np.array([5, 5, 5, 6, 5, 0, 0], np.uint64)
    >>> has_known_id(np.array([1, 2, 1, 1, 1, 1, 1]), ids, 1).tolist()
    [False, False, True, False, False, False, False]
    """
    known = np.zeros(len(user), np.bool_)
    latest: dict[int, deque[int]] = {}
    with_id = np.flatnonzero(event_id != NO_EVENT_ID)
    for event, owner, own_id in zip(
        with_id.tolist(), user[with_id].tolist(), event_id[with_id].tolist(), strict=True
    ):
        ids = latest.setdefault(owner, deque(maxlen=window))
        if own_id in ids:
            known[event] = True
        else:
            ids.append(own_id)
    return known


def has_poor_ids(event_id: NDArray[np.uint64]) -> bool:
    """Tell whether few of the event ids of a log are distinct."""
    given = event_id[event_id != NO_EVENT_ID]
    return len(np.unique(given)) < DISTINCT_SHARE_MIN * len(given)
