"""ISGD, incremental matrix factorisation of positive-only feedback, as a ranking of the catalogue.

    s_i = ⟨p_u, q_i⟩        one gradient step towards 1 for every positive event

The kernel is `stream_rec.kernels.isgd`; factors start as a function of the number of user or item.

Source: Vinagre, Jorge and Gama, UMAP 2014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import Catalogue, Events, count_event, rank_target
from stream_rec.evaluation.peers.peer import Parameters, Peer, PeerKind
from stream_rec.kernels.isgd import learn_positive, predict_preference
from stream_rec.kernels.jit import allocating_kernel

START_DEVIATION = 0.1


class Isgd(Peer):
    """User and item factors, one step an event."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        random = np.random.default_rng(0)
        n_factors = int(parameters["n_factors"])
        self._users = random.normal(0.0, START_DEVIATION, (self.n_users, n_factors))
        self._items = random.normal(0.0, START_DEVIATION, (self.n_items, n_factors))
        self._learning_rate = float(parameters["learning_rate"])
        self._reg = float(parameters["reg"])

    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`."""
        fold(
            self.catalogue,
            self._users,
            self._items,
            self._learning_rate,
            self._reg,
            self.events,
            first,
            end,
            self.rank,
        )


ISGD = PeerKind(
    Isgd,
    {"n_factors": 16.0, "learning_rate": 0.05, "reg": 0.01},
    {
        "n_factors": (8.0, 16.0, 32.0, 64.0),
        "learning_rate": (0.01, 0.02, 0.05, 0.1, 0.2),
        "reg": (0.0, 0.01, 0.05, 0.1),
    },
)


@allocating_kernel
def fold(
    catalogue: Catalogue,
    users: NDArray[np.float64],
    items: NDArray[np.float64],
    learning_rate: float,
    reg: float,
    events: Events,
    first: int,
    end: int,
    rank: NDArray[np.int32],
) -> None:
    """Test and learn.

    Parameters
    ----------
    catalogue : Catalogue
    users, items : float64[U, d], float64[N, d]
        Factors. All of these are modified in place.
    learning_rate, reg : float
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    """
    for e in range(first, end):
        user, item = events.user[e], events.item[e]
        if events.is_scored[e]:
            for i in range(catalogue.n_known[0]):
                catalogue.score[i] = predict_preference(users[user], items[i])
            rank[e] = rank_target(catalogue, events, e)
        count_event(catalogue, events, e)
        if events.is_positive[e]:
            learn_positive(users[user], items[item], learning_rate, reg)
