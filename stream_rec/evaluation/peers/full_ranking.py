"""The ranking that every peer shares: all items known so far and new to the user, by score.

    rank(e) = #{i known, new to the user : (s_i, n_i, −i) > (s_target, n_target, −target)}

Ties, and with them all items of which a peer knows nothing, go by the number of events so far and
then by age, the older item first: a peer falls back on popularity, nothing is left to chance.
An item that has never occurred before has no rank. With `repeats`, seen items are ranked too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.user_events import UserEvents, user_events
from stream_rec.kernels.jit import allocating_kernel

UNKNOWN_ITEM = -1
"""Instead of a rank."""


class Events(NamedTuple):
    """The columns of a log that peers read, and who the events belong to.

    Attributes
    ----------
    user, item : int32[E]
    time_s, value : float64[E]
    is_positive, is_new, is_scored : bool[E]
        Speaks for its item; is the first to do so of a user who has not had it; tests the peer.
    repeats : bool
        Whether items that the user has had are ranked too.
    n_learned : int
        Events that peers learn; those after test only, and do not speak for their items.
    own : UserEvents
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time_s: NDArray[np.float64]
    value: NDArray[np.float64]
    is_positive: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    is_scored: NDArray[np.bool_]
    repeats: bool
    n_learned: int
    own: UserEvents


class Catalogue(NamedTuple):
    """What every peer knows of N items, and room for their scores.

    Attributes
    ----------
    n_known : int64[1]
        Items that have occurred: those with numbers below.
    n_events : int64[N]
        Positive events so far.
    score : float64[N]
    seen : int32[N]
        1 + the position of the event for which the item was last marked as seen by its user.
    """

    n_known: NDArray[np.int64]
    n_events: NDArray[np.int64]
    score: NDArray[np.float64]
    seen: NDArray[np.int32]


def events_of(log: LogColumns) -> Events:
    """Return the part of a log that peers read, scored as in the prequential protocol."""
    return Events(
        user=log.user,
        item=log.item,
        time_s=log.time_s,
        value=log.value,
        is_positive=log.weight > 0,
        is_new=log.is_scored,
        is_scored=log.is_scored,
        repeats=False,
        n_learned=len(log.user),
        own=user_events(log.user, len(log.users)),
    )


def empty_catalogue(n_items: int) -> Catalogue:
    """Allocate a catalogue of which nothing is known yet."""
    return Catalogue(
        n_known=np.zeros(1, np.int64),
        n_events=np.zeros(n_items, np.int64),
        score=np.zeros(n_items),
        seen=np.zeros(n_items, np.int32),
    )


@allocating_kernel
def clear_scores(catalogue: Catalogue) -> None:
    """Set the scores of all known items to 0."""
    catalogue.score[: catalogue.n_known[0]] = 0.0


@allocating_kernel
def rank_target(catalogue: Catalogue, events: Events, e: int) -> int:
    """Return the rank of the item of event `e` by the scores, from 0, or UNKNOWN_ITEM.

    Parameters
    ----------
    catalogue : Catalogue
        `seen` is modified.
    events : Events
    e : int
        All events before it, and no other, have been learned.
    """
    target = events.item[e]
    if target >= catalogue.n_known[0]:
        return UNKNOWN_ITEM
    if not events.repeats:
        _mark_seen(catalogue, events, e)
    score, seen = catalogue.score, catalogue.seen
    n_before = 0
    for i in range(catalogue.n_known[0]):
        if score[i] < score[target] or seen[i] == e + 1:
            continue
        if score[i] > score[target] or _wins_tie(catalogue.n_events, i, target):
            n_before += 1
    return n_before


@allocating_kernel
def _mark_seen(catalogue: Catalogue, events: Events, e: int) -> None:
    for place in range(events.own.start[events.user[e]], events.own.place[e]):
        catalogue.seen[events.item[events.own.event[place]]] = e + 1


@allocating_kernel
def _wins_tie(n_events: NDArray[np.int64], i: int, j: int) -> bool:
    return bool(n_events[i] > n_events[j] or (n_events[i] == n_events[j] and i < j))


@allocating_kernel
def count_event(catalogue: Catalogue, events: Events, e: int) -> None:
    """Take in that the item of event `e` has occurred, if peers may know."""
    if e >= events.n_learned:
        return
    item = events.item[e]
    catalogue.n_known[0] = max(catalogue.n_known[0], item + 1)
    if events.is_positive[e]:
        catalogue.n_events[item] += 1
