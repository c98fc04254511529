"""Sequential rules: what users take soon after an item, the sooner the more.

    learn     w(j_r → i) += 1 / (r + 1)        w(i → j_r) += backwards / (r + 1)
    predict   s_i = Σ_{r < window} w(j_r → i) / (r + 1) / n_i^power

j_0 is the user's latest item before i, n_i the events of item i. With a window of 1 and nothing
backwards these are the transitions of a first-order Markov chain.

Source: Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018
(SR, and MC for a window of 1); widened to several items of the history.
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


class SequentialRules(Peer):
    """Weights from each of the latest items to what comes next."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        window = int(parameters["window"])
        self._histories = empty_histories(self.n_users, window)
        self._pairs = empty_pairs(self.events, self.n_users, self.n_items, window)
        self._backwards = float(parameters["backwards"])
        self._power = float(parameters["power"])

    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`."""
        fold(
            self.catalogue,
            self._histories,
            self._pairs,
            self._backwards,
            self._power,
            self.events,
            first,
            end,
            self.rank,
        )


SEQUENTIAL_RULES = PeerKind(
    SequentialRules,
    {"window": 10.0, "backwards": 0.3, "power": 0.0},
    {
        "window": (2.0, 5.0, 10.0, 20.0),
        "backwards": (0.0, 0.1, 0.3, 0.6, 1.0),
        "power": (0.0, 0.25, 0.5, 0.75),
    },
)
TRANSITIONS = PeerKind(
    SequentialRules,
    {"window": 1.0, "backwards": 0.0, "power": 0.0},
    {"backwards": (0.0, 0.1, 0.3, 0.6), "power": (0.0, 0.25, 0.5, 0.75)},
)


@allocating_kernel
def fold(
    catalogue: Catalogue,
    histories: Histories,
    pairs: Pairs,
    backwards: float,
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
        w(j → i). All of these are modified in place.
    backwards, power : float
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    """
    for e in range(first, end):
        user, item = events.user[e], events.item[e]
        if events.is_scored[e]:
            _score(catalogue, histories, pairs, power, user)
            rank[e] = rank_target(catalogue, events, e)
        count_event(catalogue, events, e)
        if not events.is_positive[e]:
            continue
        for r in range(histories.length[user]):
            j = histories.item[user, r]
            if j != item:
                add_weight(pairs, j, item, 1.0 / (r + 1))
                if backwards > 0.0:
                    add_weight(pairs, item, j, backwards / (r + 1))
        push(histories, user, item)


@allocating_kernel
def _score(
    catalogue: Catalogue, histories: Histories, pairs: Pairs, power: float, user: int
) -> None:
    clear_scores(catalogue)
    for r in range(histories.length[user]):
        j = histories.item[user, r]
        for place in range(pairs.start[j], pairs.start[j] + pairs.length[j]):
            catalogue.score[pairs.neighbour[place]] += pairs.weight[place] / (r + 1)
    if power > 0.0:
        for i in range(catalogue.n_known[0]):
            if catalogue.score[i] > 0.0:
                catalogue.score[i] /= catalogue.n_events[i] ** power
