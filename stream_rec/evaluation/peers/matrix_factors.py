"""The nightly batch: matrix factors of `implicit`, trained anew every so many events or every day.

    s_i = ⟨p_u, q_i⟩        p, q as they were when the batch last ran, over all events before it

Between two runs nothing is learned. Users that the batch has not met get the most popular items,
items that it has not met come last, in the order of popularity; popularity itself is kept up event
by event, which is more than a nightly batch has.

Sources: ALS: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM
2008; BPR: Rendle, Freudenthaler, Gantner and Schmidt-Thieme, UAI 2009; the library is `implicit`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import Catalogue, Events, count_event, rank_target
from stream_rec.evaluation.peers.peer import Parameters, Peer, PeerKind
from stream_rec.kernels.jit import allocating_kernel

SEED = 0
DAY_S = 86_400.0
RETRAINED_EVENTS = 5_000
NEVER = np.inf
SCHEDULES: dict[str, Parameters] = {
    "daily": {"every_s": DAY_S, "every_events": NEVER},
    "5k": {"every_s": NEVER, "every_events": float(RETRAINED_EVENTS)},
}
"""When the batch runs: at midnight (UTC), or after so many events."""


class MatrixFactors(Peer):
    """Factors of users and items, trained in batches."""

    def __init__(self, log: LogColumns, parameters: Parameters) -> None:
        super().__init__(log)
        self._parameters = parameters
        n_factors = int(parameters["n_factors"])
        self._users: NDArray[np.float32] = np.zeros((self.n_users, n_factors), np.float32)
        self._items: NDArray[np.float32] = np.zeros((self.n_items, n_factors), np.float32)
        self._user_known = np.zeros(self.n_users, np.bool_)
        self._item_known = np.zeros(self.n_items, np.bool_)
        self._due = training_events(
            log.time_s, float(parameters["every_s"]), float(parameters["every_events"])
        )

    def fold(self, first: int, end: int) -> None:
        """Test the events from `first` up to `end`, training where it is due."""
        due = self._due[(self._due >= first) & (self._due < end)].tolist()
        for start, stop in zip([first, *due], [*due, end], strict=True):
            if start in due:
                self._train(start)
            rank_by_factors(
                self.catalogue,
                self._users,
                self._items,
                self._user_known,
                self._item_known,
                self.events,
                start,
                stop,
                self.rank,
            )

    def learn_only_first(self, n_learned: int, is_scored: NDArray[np.bool_]) -> None:
        """Learn so many events, the batch running at their end, then stay as it is."""
        super().learn_only_first(n_learned, is_scored)
        self._due = np.append(self._due[self._due < n_learned], n_learned)

    def _train(self, n_events: int) -> None:
        from scipy.sparse import csr_matrix
        from threadpoolctl import threadpool_limits

        positive = np.flatnonzero(self.events.is_positive[:n_events])
        if not len(positive):
            return
        user, item = self.events.user[positive], self.events.item[positive]
        taken = csr_matrix(
            (np.ones(len(positive), np.float32), (user, item)), (self.n_users, self.n_items)
        )
        with threadpool_limits(1, "blas"):  # implicit has threads of its own
            model = self.new_model(self._parameters)
            model.fit(taken, show_progress=False)
        self._users, self._items = model.user_factors, model.item_factors
        self._user_known[user] = True
        self._item_known[item] = True

    @abstractmethod
    def new_model(self, parameters: Parameters) -> Any:
        """Return a model of `implicit` that is not trained yet."""


class Als(MatrixFactors):
    """Alternating least squares."""

    def new_model(self, parameters: Parameters) -> Any:
        """Return an untrained model."""
        from implicit.als import AlternatingLeastSquares

        return AlternatingLeastSquares(
            factors=int(parameters["n_factors"]),
            regularization=parameters["reg"],
            alpha=parameters["alpha"],
            iterations=int(parameters["n_iterations"]),
            random_state=SEED,
            use_gpu=False,
        )


class Bpr(MatrixFactors):
    """Bayesian personalised ranking."""

    def new_model(self, parameters: Parameters) -> Any:
        """Return an untrained model."""
        from implicit.bpr import BayesianPersonalizedRanking

        return BayesianPersonalizedRanking(
            factors=int(parameters["n_factors"]),
            learning_rate=parameters["learning_rate"],
            regularization=parameters["reg"],
            iterations=int(parameters["n_iterations"]),
            num_threads=1,  # several would race, and give other factors every time
            random_state=SEED,
            use_gpu=False,
        )


ALS = PeerKind(
    Als,
    {**SCHEDULES["daily"], "n_factors": 64.0, "reg": 0.01, "alpha": 1.0, "n_iterations": 15.0},
    {
        "n_factors": (16.0, 64.0, 128.0),
        "reg": (0.01, 0.1, 1.0, 10.0),
        "alpha": (1.0, 5.0, 20.0),
    },
    needs_package="implicit",
    variants=SCHEDULES,
)
BPR = PeerKind(
    Bpr,
    {
        **SCHEDULES["daily"],
        "n_factors": 64.0,
        "reg": 0.01,
        "learning_rate": 0.05,
        "n_iterations": 50.0,
    },
    {
        "n_factors": (16.0, 64.0, 128.0),
        "reg": (0.001, 0.01, 0.05),
        "learning_rate": (0.01, 0.05, 0.1),
        "n_iterations": (20.0, 50.0, 100.0),
    },
    needs_package="implicit",
    variants=SCHEDULES,
)


def training_events(
    time_s: NDArray[np.float64], every_s: float, every_events: float
) -> NDArray[np.int64]:
    """Return before which events the batch runs, in order.

    Parameters
    ----------
    time_s : float64[E]
    every_s, every_events : float
        Infinite: never.

    Examples
    --------
    >>> training_events(np.array([0.0, 5.0, 12.0, 13.0, 45.0]), 10.0, np.inf).tolist()
    [2, 4]
    """
    due = np.zeros(0, np.int64)
    if every_s < np.inf:
        due = np.flatnonzero(np.diff(time_s // every_s)) + 1
    if every_events < np.inf:
        due = np.union1d(due, np.arange(int(every_events), len(time_s), int(every_events)))
    return due


@allocating_kernel
def rank_by_factors(
    catalogue: Catalogue,
    users: NDArray[np.float32],
    items: NDArray[np.float32],
    user_known: NDArray[np.bool_],
    item_known: NDArray[np.bool_],
    events: Events,
    first: int,
    end: int,
    rank: NDArray[np.int32],
) -> None:
    """Test, and count for popularity.

    Parameters
    ----------
    catalogue : Catalogue
        Modified in place.
    users : float32[U, F], items : float32[N, F]
    user_known : bool[U], item_known : bool[N]
        Whom the batch has met.
    events : Events
    first, end : int
    rank : int32[E]
        Written where an event is scored.
    """
    for e in range(first, end):
        if events.is_scored[e]:
            user = events.user[e]
            for i in range(catalogue.n_known[0]):
                score = 0.0
                if user_known[user]:
                    score = -np.inf
                    if item_known[i]:
                        score = 0.0
                        for f in range(users.shape[1]):
                            score += users[user, f] * items[i, f]
                catalogue.score[i] = score
            rank[e] = rank_target(catalogue, events, e)
        count_event(catalogue, events, e)
