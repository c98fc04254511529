"""Where a model hits: scored events by length of the user's history, by age of the item, over time.

Groups are told from the log alone, as it stood before each event, so they are the same for every
model. Within each kind every scored event is in exactly one group; empty groups are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.user_events import user_events

HISTORY_BOUNDS = (1, 3, 10, 50)
HISTORY_NAMES = ("first event", "1–2 events", "3–9 events", "10–49 events", "50 or more")
AGE_BOUNDS_S = (0.0, 3_600.0, 86_400.0, 604_800.0, 2_592_000.0)
AGE_NAMES = (
    "never seen before",
    "under an hour",
    "under a day",
    "under a week",
    "under 30 days",
    "older",
)
N_WINDOWS = 10


class Group(NamedTuple):
    """Some of the scored events.

    Attributes
    ----------
    kind, name : str
    members : bool[S]
        Which of the S scored events.
    """

    kind: str
    name: str
    members: NDArray[np.bool_]


def groups_of(log: LogColumns) -> list[Group]:
    """Return the groups of the scored events of a log."""
    return [*_by_history(log), *_by_item_age(log), *_by_time(log)]


def _by_history(log: LogColumns) -> list[Group]:
    own = user_events(log.user, len(log.users))
    n_before = own.place - own.start[log.user]
    return _groups("user history", HISTORY_NAMES, np.digitize(n_before, HISTORY_BOUNDS), log)


def _by_item_age(log: LogColumns) -> list[Group]:
    _, first, item = np.unique(log.item, return_index=True, return_inverse=True)
    first_event = first[item]
    age_s = log.time_s - log.time_s[first_event]
    # An age of 0 is that of a known item where another event at the same time came before.
    age_s[first_event == np.arange(len(item))] = -1.0
    return _groups("item age", AGE_NAMES, np.digitize(age_s, AGE_BOUNDS_S), log)


def _by_time(log: LogColumns) -> list[Group]:
    first_s, last_s = log.time_s[0], log.time_s[-1]
    edges = np.linspace(first_s, last_s, N_WINDOWS + 1)[1:-1]
    starts = [np.datetime64(int(s), "s") for s in (first_s, *edges)]
    names = tuple(f"from {str(start).replace('T', ' ')[:16]}" for start in starts)
    return _groups("time", names, np.digitize(log.time_s, edges), log)


def _groups(
    kind: str, names: tuple[str, ...], number: NDArray[np.int64], log: LogColumns
) -> list[Group]:
    scored = number[log.is_scored]
    groups = (Group(kind, name, scored == x) for x, name in enumerate(names))
    return [group for group in groups if group.members.any()]
