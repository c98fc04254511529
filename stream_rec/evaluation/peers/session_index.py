"""An incremental index of sessions: the last m sessions of each item, and the items of each.

    item i → recent[i, :]          the last m sessions with item i, as a ring
    session x → event[start[x] : …]  its events, of which those before the present one count

A session is a run of events of one user without a gap longer than `gap_s`; with an infinite gap it
is the user. Sessions grow while they are already in the index, so a neighbour's last click counts.

Source: Kersbergen, Sprangers and Schelter, "Serenade: low-latency session-based recommendation in
e-commerce at scale", SIGMOD 2022 (the index of VMIS-kNN, here kept up event by event).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import is_first_of_pair
from stream_rec.evaluation.peers.full_ranking import Events
from stream_rec.evaluation.user_events import UserEvents, user_events
from stream_rec.kernels.jit import allocating_kernel


class SessionIndex(NamedTuple):
    """S sessions of N items.

    Attributes
    ----------
    session : int32[E]
        Of every event, numbered by their first event.
    own : UserEvents
        The events of every session.
    counts : bool[E]
        Whether an event is the first that speaks for its item in its session.
    recent : int32[N, m]
        Ring of sessions of each item, oldest overwritten.
    n_sessions : int64[N]
        Sessions that have had each item.
    n_started : int64[1]
        Sessions that have begun.
    last_s : float64[S]
        Time of each session's latest event.
    """

    session: NDArray[np.int32]
    own: UserEvents
    counts: NDArray[np.bool_]
    recent: NDArray[np.int32]
    n_sessions: NDArray[np.int64]
    n_started: NDArray[np.int64]
    last_s: NDArray[np.float64]


def empty_session_index(events: Events, n_items: int, gap_s: float, m: int) -> SessionIndex:
    """Cut a log into sessions and allocate the index."""
    session = cut_sessions(events, gap_s)
    n_sessions = int(session.max(initial=-1)) + 1
    return SessionIndex(
        session=session,
        own=user_events(session, n_sessions),
        counts=_first_in_session(session, events),
        recent=np.zeros((n_items, m), np.int32),
        n_sessions=np.zeros(n_items, np.int64),
        n_started=np.zeros(1, np.int64),
        last_s=np.zeros(n_sessions),
    )


@allocating_kernel
def cut_sessions(events: Events, gap_s: float) -> NDArray[np.int32]:
    """Return the session of every event.

    Parameters
    ----------
    events : Events
    gap_s : float
        A longer pause of the user begins a new session.
    """
    session = np.zeros(len(events.user), np.int32)
    n_sessions = 0
    for e in range(len(events.user)):
        place = events.own.place[e]
        if place > events.own.start[events.user[e]]:
            before = events.own.event[place - 1]
            if events.time_s[e] - events.time_s[before] <= gap_s:
                session[e] = session[before]
                continue
        session[e] = n_sessions
        n_sessions += 1
    return session


def _first_in_session(session: NDArray[np.int32], events: Events) -> NDArray[np.bool_]:
    positive = np.flatnonzero(events.is_positive)
    counts = np.zeros(len(session), np.bool_)
    counts[positive] = is_first_of_pair(session[positive], events.item[positive])
    return counts


@allocating_kernel
def index_event(index: SessionIndex, events: Events, e: int) -> None:
    """Put event `e`, which speaks for its item, into the index."""
    session, item = index.session[e], events.item[e]
    index.n_started[0] = max(index.n_started[0], session + 1)
    index.last_s[session] = events.time_s[e]
    if index.counts[e]:
        index.recent[item, index.n_sessions[item] % index.recent.shape[1]] = session
        index.n_sessions[item] += 1
