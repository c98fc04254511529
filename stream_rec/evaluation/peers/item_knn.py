"""Item-based nearest neighbours, incremental: items whose users also took the latest of this user.

    s_i = Σ_{r < window} decay^r · c(i, j_r) / (n_i n_{j_r})^power

c(i, j) counts the users who took both within `window` items of each other, n_i the users of item i,
j_0 is the user's latest item. power = ½ is the cosine of the items' user sets.

Source: Deshpande and Karypis, TOIS 2004; incremental as in Huang, Cui, Zhang, Jiang and Xu,
"TencentRec: real-time stream recommendation in practice", SIGMOD 2015.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import (
    Catalogue,
    Events,
    clear_scores,
    count_event,
    rank_target,
)
from stream_rec.evaluation.peers.histories import Histories, empty_histories, push
from stream_rec.evaluation.peers.pairs import Pairs, add_weight, empty_pairs
from stream_rec.evaluation.peers.peer import Parameters, Peer, PeerKind
from stream_rec.kernels.jit import allocating_kernel


class ItemKnn(Peer):
    """Co-occurrence within a window, normalised."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        window = int(parameters["window"])
        self._histories = empty_histories(self.n_users, window)
        self._pairs = empty_pairs(self.events, self.n_users, self.n_items, window)
        self._n_users: NDArray[np.int64] = np.zeros(self.n_items, np.int64)
        self._decay = float(parameters["decay"])
        self._power = float(parameters["power"])

    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`."""
        fold(
            self.catalogue,
            self._histories,
            self._pairs,
            self._n_users,
            self._decay,
            self._power,
            self.events,
            first,
            end,
            self.rank,
        )


ITEM_KNN = PeerKind(
    ItemKnn,
    {"window": 20.0, "decay": 0.9, "power": 0.5},
    {
        "window": (5.0, 10.0, 20.0, 30.0, 50.0),
        "decay": (0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0),
        "power": (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0),
    },
)


@allocating_kernel
def fold(
    catalogue: Catalogue,
    histories: Histories,
    pairs: Pairs,
    n_users: NDArray[np.int64],
    decay: float,
    power: float,
    events: Events,
    first: int,
    end: int,
    rank: NDArray[np.int32],
) -> None:
    """Test and learn.

    Parameters
    ----------
    catalogue : Catalogue
    histories : Histories
    pairs : Pairs
        c(i, j).
    n_users : int64[N]
        n_i. All of these are modified in place.
    decay, power : float
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    """
    for e in range(first, end):
        user, item = events.user[e], events.item[e]
        if events.is_scored[e]:
            _score(catalogue, histories, pairs, n_users, decay, power, user)
            rank[e] = rank_target(catalogue, events, e)
        if events.is_new[e]:
            n_users[item] += 1
            for r in range(histories.length[user]):
                add_weight(pairs, item, histories.item[user, r], 1.0)
                add_weight(pairs, histories.item[user, r], item, 1.0)
        count_event(catalogue, events, e)
        if events.is_positive[e]:
            push(histories, user, item)


@allocating_kernel
def _score(
    catalogue: Catalogue,
    histories: Histories,
    pairs: Pairs,
    n_users: NDArray[np.int64],
    decay: float,
    power: float,
    user: int,
) -> None:
    clear_scores(catalogue)
    weight = 1.0
    for r in range(histories.length[user]):
        j = histories.item[user, r]
        share = weight / max(n_users[j], 1) ** power
        for place in range(pairs.start[j], pairs.start[j] + pairs.length[j]):
            catalogue.score[pairs.neighbour[place]] += share * pairs.weight[place]
        weight *= decay
    for i in range(catalogue.n_known[0]):
        if catalogue.score[i] > 0.0:
            catalogue.score[i] /= max(n_users[i], 1) ** power
