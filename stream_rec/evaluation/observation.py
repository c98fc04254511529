"""What is noted while an engine goes through a log: the ranker's weights, and the chances it gave.

Between two batches the engine is as it was before the next event, so the next event can be ranked
here without learning it. Nothing of the engine changes by that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.ablation import feature_names
from stream_rec.evaluation.prequential import Prequential
from stream_rec.kernels.held import Holder
from stream_rec.model.lists import list_for_user
from stream_rec.model.ranking import Model

N_SNAPSHOTS = 80
LISTED = 10
CANDIDATES_MAX = 1024


class WeightHistory(NamedTuple):
    """The weights that all users share, of P moments and F features.

    Attributes
    ----------
    names : list of str
    event : int64[P]
        Events learned by then.
    value : float64[P, F]
    """

    names: list[str]
    event: NDArray[np.int64]
    value: NDArray[np.float64]


class Observer:
    """Notes weights and chances of an evaluation under way.

    Parameters
    ----------
    prequential : Prequential
    ranks_next : bool
        Whether the engine knows everything before the next event after each batch.
    """

    def __init__(self, prequential: Prequential, *, ranks_next: bool) -> None:
        self._run = prequential
        self._ranks_next = ranks_next
        self._every = max(len(prequential.log.user) // N_SNAPSHOTS, 1)
        self._held: Holder[Model] = Holder()
        self._event: list[int] = []
        self._weights: list[NDArray[np.float64]] = []
        self._chance: list[NDArray[np.float64]] = []
        self._taken: list[NDArray[np.bool_]] = []

    def after(self, n_done: int) -> None:
        """Note what there is to note after so many events."""
        is_last = n_done == len(self._run.log.user)
        if not self._event or n_done >= self._event[-1] + self._every or is_last:
            self._event.append(n_done)
            weights = self._run.engine.weights.view.ranker.linear
            self._weights.append(weights[0, 0].astype(np.float64))
        if self._ranks_next and not is_last and self._run.log.is_scored[n_done]:
            self._rank(n_done)

    def weights(self) -> WeightHistory:
        """Return the weights noted so far."""
        value = np.array(self._weights)
        names = feature_names(self._run.engine.half_lives_s.tolist())
        return WeightHistory(names, np.array(self._event), value)

    def chances(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the chance of each listed item, and whether it was taken."""
        if not self._chance:
            return np.zeros(0), np.zeros(0, np.bool_)
        return np.concatenate(self._chance), np.concatenate(self._taken)

    def _rank(self, e: int) -> None:
        engine, columns = self._run.engine, self._run.columns
        model, user = engine.reading(), int(columns.user[e])
        item, score = np.zeros(CANDIDATES_MAX, np.int32), np.zeros(CANDIDATES_MAX, np.float32)
        n = list_for_user(
            self._held.of(model),
            user,
            float(max(columns.time_s[e], model.profiles.last_s[user])),
            model.recipe,
            item,
            score,
            np.zeros(CANDIDATES_MAX, np.int8),
            np.zeros(CANDIDATES_MAX, np.int32),
        )
        weight = np.exp(score[:n].astype(np.float64) - score[0])
        self._chance.append((weight / weight.sum())[:LISTED])
        self._taken.append((item[:n] == columns.item[e])[:LISTED])
