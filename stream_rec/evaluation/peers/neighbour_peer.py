"""A peer that scores by neighbouring sessions; the methods differ in their parameters only.

gap_s       pause that ends a session; infinite: sessions are users
m, k        sessions kept of each item, neighbours used
…           the other parameters are those of `neighbours.Weighting`
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import Catalogue, Events, count_event, rank_target
from stream_rec.evaluation.peers.neighbours import (
    NeighbourScratch,
    Weighting,
    empty_scratch,
    score_by_neighbours,
)
from stream_rec.evaluation.peers.peer import Parameters, Peer
from stream_rec.evaluation.peers.session_index import (
    SessionIndex,
    empty_session_index,
    index_event,
)
from stream_rec.kernels.jit import allocating_kernel

SESSION_GAP_S = 1800.0
"""The usual half an hour of web analytics."""


class NeighbourPeer(Peer):
    """Neighbouring sessions or users."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        given = dict(parameters)
        gap_s, m = float(given.pop("gap_s")), int(given.pop("m"))
        self._index = empty_session_index(self.events, self.n_items, gap_s, m)
        self._weighting = Weighting(
            k=int(given["k"]),
            n_latest=int(given["n_latest"]),
            slope=float(given["slope"]),
            decay=float(given["decay"]),
            norm=float(given["norm"]),
            half_life_s=float(given["half_life_s"]),
            fades=int(given["fades"]),
            reach=float(given["reach"]),
            idf_power=float(given["idf_power"]),
        )
        self._scratch = empty_scratch(len(self._index.last_s), self._weighting.n_latest)

    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`."""
        fold(
            self.catalogue,
            self._index,
            self._scratch,
            self._weighting,
            self.events,
            first,
            end,
            self.rank,
        )


@allocating_kernel
def fold(
    catalogue: Catalogue,
    index: SessionIndex,
    scratch: NeighbourScratch,
    weighting: Weighting,
    events: Events,
    first: int,
    end: int,
    rank: NDArray[np.int32],
) -> None:
    """Test and learn.

    Parameters
    ----------
    catalogue : Catalogue
    index : SessionIndex
    scratch : NeighbourScratch
        All of these are modified in place.
    weighting : Weighting
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    """
    for e in range(first, end):
        if events.is_scored[e]:
            score_by_neighbours(catalogue, index, scratch, weighting, events, e)
            rank[e] = rank_target(catalogue, events, e)
        count_event(catalogue, events, e)
        if events.is_positive[e]:
            index_event(index, events, e)
