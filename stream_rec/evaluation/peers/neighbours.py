"""Scoring by neighbouring sessions: what V-SKNN, VMIS-kNN, STAN and user-kNN have in common.

For the latest items j_0, j_1, … of a session (or user) s, newest first, over the last m sessions of
each of them:

    similarity(x) = Σ_{r : j_r ∈ x} w(r) · |x|^−norm · 2^(−age(x) / half-life)
    score(i)      = Σ_{x among the k most similar} similarity(x) · λ(r_x) · g(i, x) · idf(i)^p

    w(r)    = max(1 − r / slope, 0) · decay^r; slope 0 stands for the number of items looked up
    r_x     the newest place whose item x has
    λ(r)    = 1, max(1 − 0.1 (r + 1), 0) or 1 / (r + 1)
    g(i, x) = exp(−distance in x between i and j_{r_x} / reach)
    idf(i)  = log(sessions / sessions with i)

|x| counts the events of x so far. Ties for the k-th place all count.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.peers.full_ranking import Catalogue, Events, clear_scores
from stream_rec.evaluation.peers.session_index import SessionIndex
from stream_rec.kernels.jit import allocating_kernel

NO_PLACE = -1
FADES_NOT, FADES_LINEARLY, FADES_INVERSELY = 0, 1, 2
"""Choices of λ."""


class Weighting(NamedTuple):
    """The choices that make one neighbour method out of the formula above.

    Attributes
    ----------
    k : int
        Neighbours.
    n_latest : int
        Latest distinct items of the session that are looked up.
    slope : float
        w(r) = max(1 − r / slope, 0); infinite: 1; 0: the number of items looked up.
    decay : float
        w(r) is multiplied by decay^r.
    norm : float
        Power of the neighbour's length.
    half_life_s : float
        Of a neighbour's age; infinite: age does not matter.
    fades : int
        How λ(r) falls with r: one of FADES_….
    reach : float
        Of g, in items; infinite: 1.
    idf_power : float
    """

    k: int
    n_latest: int
    slope: float
    decay: float
    norm: float
    half_life_s: float
    fades: int
    reach: float
    idf_power: float


class NeighbourScratch(NamedTuple):
    """Room for the neighbours of one query among S sessions.

    Attributes
    ----------
    similarity : float64[S]
        0 where a session is no neighbour.
    newest : int32[S]
        r_x, as a place in the history.
    found : int32[S]
        The sessions found.
    latest : int32[n_latest]
        The latest items of the query, newest first.
    """

    similarity: NDArray[np.float64]
    newest: NDArray[np.int32]
    found: NDArray[np.int32]
    latest: NDArray[np.int32]


def empty_scratch(n_sessions: int, n_latest: int) -> NeighbourScratch:
    """Allocate scratch arrays."""
    return NeighbourScratch(
        similarity=np.zeros(n_sessions),
        newest=np.zeros(n_sessions, np.int32),
        found=np.zeros(n_sessions, np.int32),
        latest=np.zeros(n_latest, np.int32),
    )


@allocating_kernel
def score_by_neighbours(
    catalogue: Catalogue,
    index: SessionIndex,
    scratch: NeighbourScratch,
    weighting: Weighting,
    events: Events,
    e: int,
) -> None:
    """Write the scores of all items for the user of event `e`, from what happened before it.

    Parameters
    ----------
    catalogue : Catalogue
        `score` is written.
    index : SessionIndex
    scratch : NeighbourScratch
        Used up, and left as it came.
    weighting : Weighting
    events : Events
    e : int
    """
    clear_scores(catalogue)
    n_latest = _latest_items(index, scratch.latest, events, e)
    n_found = _find_neighbours(index, scratch, weighting, n_latest, index.session[e])
    now_s = events.time_s[e]
    for x in range(n_found):
        session = scratch.found[x]
        n_before = _length_before(index, session, min(e, events.n_learned))
        scratch.similarity[session] *= n_before**-weighting.norm * 2.0 ** (
            -(now_s - index.last_s[session]) / weighting.half_life_s
        )
    least = _kth_largest(scratch, n_found, weighting.k)
    for x in range(n_found):
        session = scratch.found[x]
        if scratch.similarity[session] >= least:
            _add_session(catalogue, index, scratch, weighting, events, e, session)
        scratch.similarity[session] = 0.0
    _weigh_by_rarity(catalogue, index, weighting.idf_power)


@allocating_kernel
def _latest_items(index: SessionIndex, latest: NDArray[np.int32], events: Events, e: int) -> int:
    """Write the latest distinct items of the session of event `e`; return how many there are."""
    n_latest = 0
    place = index.own.place[e] - 1
    while place >= index.own.start[index.session[e]] and n_latest < len(latest):
        earlier = index.own.event[place]
        item = events.item[earlier]
        if events.is_positive[earlier] and not np.any(latest[:n_latest] == item):
            latest[n_latest] = item
            n_latest += 1
        place -= 1
    return n_latest


@allocating_kernel
def _find_neighbours(
    index: SessionIndex,
    scratch: NeighbourScratch,
    weighting: Weighting,
    n_latest: int,
    own_session: int,
) -> int:
    n_found = 0
    weight = 1.0
    slope = weighting.slope if weighting.slope > 0.0 else float(n_latest)
    for r in range(n_latest):
        item = scratch.latest[r]
        w = weight * max(1.0 - r / slope, 0.0)
        weight *= weighting.decay
        if w <= 0.0:
            break
        for ring in range(min(index.n_sessions[item], index.recent.shape[1])):
            session = index.recent[item, ring]
            if session == own_session:
                continue
            if scratch.similarity[session] == 0.0:
                scratch.found[n_found] = session
                scratch.newest[session] = r
                n_found += 1
            scratch.similarity[session] += w
    return n_found


@allocating_kernel
def _length_before(index: SessionIndex, session: int, e: int) -> int:
    """Return how many events of a session lie before event `e`."""
    start, end = index.own.start[session], index.own.start[session + 1]
    return int(np.searchsorted(index.own.event[start:end], e))


@allocating_kernel
def _kth_largest(scratch: NeighbourScratch, n_found: int, k: int) -> float:
    if n_found <= k:
        return 0.0
    similarity = scratch.similarity[scratch.found[:n_found]]
    return float(np.partition(similarity, n_found - k)[n_found - k])


@allocating_kernel
def _add_session(
    catalogue: Catalogue,
    index: SessionIndex,
    scratch: NeighbourScratch,
    weighting: Weighting,
    events: Events,
    e: int,
    session: int,
) -> None:
    r = scratch.newest[session]
    weight = scratch.similarity[session]
    if weighting.fades == FADES_LINEARLY:
        weight *= max(1.0 - 0.1 * (r + 1), 0.0)
    elif weighting.fades == FADES_INVERSELY:
        weight /= r + 1
    if weight <= 0.0:
        return
    start = index.own.start[session]
    end = start + _length_before(index, session, min(e, events.n_learned))
    matched = NO_PLACE
    if weighting.reach < math.inf:
        for place in range(start, end):
            if events.item[index.own.event[place]] == scratch.latest[r]:
                matched = place
    for place in range(start, end):
        event = index.own.event[place]
        if index.counts[event]:
            near = 1.0
            if matched != NO_PLACE:
                near = math.exp(-abs(place - matched) / weighting.reach)
            item = events.item[event]
            catalogue.score[item] = catalogue.score[item] + weight * near


@allocating_kernel
def _weigh_by_rarity(catalogue: Catalogue, index: SessionIndex, power: float) -> None:
    if power == 0.0:
        return
    for i in range(catalogue.n_known[0]):
        if catalogue.score[i] > 0.0:
            share = index.n_started[0] / max(index.n_sessions[i], 1)
            catalogue.score[i] *= math.log(max(share, 1.0)) ** power
