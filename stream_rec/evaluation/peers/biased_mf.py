"""Biased matrix factorisation of ratings, as river's `BiasedMF`: predicts ratings, ranks by them.

    ŷ(u, i) = mean + b_u + b_i + ⟨p_u, q_i⟩        one gradient step a rating

The kernel is `stream_rec.kernels.biased_mf`, which equals river's to 1e-6. Each rating is predicted
before it is learned, which gives RMSE and MAE; as a ranking it shows how little a good prediction
of ratings says about what comes next.

Source: Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems",
Computer 2009.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import Catalogue, Events, count_event, rank_target
from stream_rec.evaluation.peers.peer import Parameters, Peer, PeerKind
from stream_rec.kernels.biased_mf import learn_rating, predict_rating
from stream_rec.kernels.jit import allocating_kernel

START_DEVIATION = 0.1
GRADIENT_MAX = 100.0
"""Keeps a wild value from driving the factors to infinity; out of reach on scales up to 10."""


class BiasedMf(Peer):
    """Mean, biases and factors, one step a rating."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        random = np.random.default_rng(0)
        n_columns = 1 + int(parameters["n_factors"])
        self._users = random.normal(0.0, START_DEVIATION, (self.n_users, n_columns))
        self._items = random.normal(0.0, START_DEVIATION, (self.n_items, n_columns))
        self._users[:, 0] = self._items[:, 0] = 0.0
        self._ratings_seen: NDArray[np.float64] = np.zeros(2)
        self._rate_bias = float(parameters["learning_rate_bias"])
        self._rate_factors = float(parameters["learning_rate_factors"])
        self._reg = float(parameters["reg"])
        self._predicted: NDArray[np.float64] = np.full(len(self.rank), np.nan)
        self.predicted = self._predicted

    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`."""
        fold(
            self.catalogue,
            self._users,
            self._items,
            self._ratings_seen,
            self._rate_bias,
            self._rate_factors,
            self._reg,
            self.events,
            first,
            end,
            self.rank,
            self._predicted,
        )


BIASED_MF = PeerKind(
    BiasedMf,
    {
        "n_factors": 10.0,
        "learning_rate_bias": 0.025,
        "learning_rate_factors": 0.05,
        "reg": 0.0,
    },
    {
        "n_factors": (4.0, 10.0, 20.0),
        "learning_rate_bias": (0.005, 0.01, 0.025, 0.05),
        "learning_rate_factors": (0.005, 0.01, 0.025, 0.05),
        "reg": (0.0, 0.01, 0.05),
    },
    needs_ratings=True,
)


@allocating_kernel
def fold(
    catalogue: Catalogue,
    users: NDArray[np.float64],
    items: NDArray[np.float64],
    ratings_seen: NDArray[np.float64],
    rate_bias: float,
    rate_factors: float,
    reg: float,
    events: Events,
    first: int,
    end: int,
    rank: NDArray[np.int32],
    predicted: NDArray[np.float64],
) -> None:
    """Test and learn; events without a rating are tested and not learned.

    Parameters
    ----------
    catalogue : Catalogue
    users, items : float64[U, 1 + d], float64[N, 1 + d]
        Bias and factors.
    ratings_seen : float64[2]
        All of these are modified in place.
    rate_bias, rate_factors, reg : float
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    predicted : float64[E]
        Written where there is a rating.
    """
    for e in range(first, end):
        user, item = events.user[e], events.item[e]
        if events.is_scored[e]:
            for i in range(catalogue.n_known[0]):
                catalogue.score[i] = predict_rating(ratings_seen, users[user], items[i])
            rank[e] = rank_target(catalogue, events, e)
        count_event(catalogue, events, e)
        if math.isfinite(events.value[e]):
            predicted[e] = predict_rating(ratings_seen, users[user], items[item])
            learn_rating(
                ratings_seen,
                users[user],
                items[item],
                events.value[e],
                rate_bias,
                rate_factors,
                reg,
                reg,
                GRADIENT_MAX,
            )
