"""Popularity with exponential decay: what is taken most at the moment, for everyone.

    s_i(now) = Σ over events of i of 2^(−(now − t) / half-life)

Kept as log2 of the forward-decayed sum, which orders items alike at every moment. An infinite
half-life counts all events alike.

Source: Ji, Sun, Zhang and Li, "A re-visit of the popularity baseline in recommender systems",
SIGIR 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import Catalogue, Events, count_event, rank_target
from stream_rec.evaluation.peers.peer import Parameters, Peer, PeerKind
from stream_rec.kernels.decay import EMPTY, add_log2, decayed_weight
from stream_rec.kernels.jit import allocating_kernel

HALF_LIVES_S = (900.0, 7_200.0, 25_200.0, 86_400.0, 604_800.0, 2_592_000.0, 7_776_000.0, np.inf)
_UNITS_S = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


def duration_name(seconds: float) -> str:
    """Name a duration by its largest whole unit.

    Examples
    --------
    >>> duration_name(900.0), duration_name(604800.0), duration_name(np.inf)
    ('15min', '7d', 'ever')
    """
    if np.isinf(seconds):
        return "ever"
    for name, unit_s in _UNITS_S:
        if seconds % unit_s == 0:
            return f"{seconds / unit_s:g}{name}"
    return f"{seconds:g}s"


class Popularity(Peer):
    """Popularity with one half-life, in seconds."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        self.catalogue.score[:] = EMPTY
        self._half_life_s = float(parameters["half_life_s"])

    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`."""
        fold(self.catalogue, self._half_life_s, self.events, first, end, self.rank)


POPULARITY = PeerKind(
    Popularity,
    {"half_life_s": 86_400.0},
    {"half_life_s": HALF_LIVES_S},
    variants={duration_name(each): {"half_life_s": each} for each in HALF_LIVES_S},
)


@allocating_kernel
def fold(
    catalogue: Catalogue,
    half_life_s: float,
    events: Events,
    first: int,
    end: int,
    rank: NDArray[np.int32],
) -> None:
    """Test and learn; the scores of the catalogue are the popularities.

    Parameters
    ----------
    catalogue : Catalogue
        Modified in place.
    half_life_s : float
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    """
    for e in range(first, end):
        if events.is_scored[e]:
            rank[e] = rank_target(catalogue, events, e)
        count_event(catalogue, events, e)
        if events.is_positive[e]:
            item = events.item[e]
            weight = decayed_weight(events.time_s[e], half_life_s)
            catalogue.score[item] = add_log2(catalogue.score[item], weight)
