"""Errors of predicted ratings, running: root mean squared (RMSE) and mean absolute (MAE).

    RMSE = √(Σ (r − r̂)² / n)        MAE = Σ |r − r̂| / n

Each rating is predicted before it is learned. Over no ratings both are 0.

Source: Herlocker, Konstan, Terveen and Riedl, "Evaluating collaborative filtering recommender
systems", TOIS 2004.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.metrics.running import RunningMean


@dataclass
class RatingError:
    """RMSE and MAE of the predictions so far.

    Examples
    --------
    >>> error = RatingError()
    >>> error.update(np.array([4.0, 2.0]), np.array([3.0, 5.0]))
    >>> round(error.rmse, 3), error.mae, error.n
    (2.236, 2.0, 2)
    """

    _squared: RunningMean = field(default_factory=RunningMean)
    _absolute: RunningMean = field(default_factory=RunningMean)

    def update(self, rating: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
        """Take in ratings with what was predicted for them, float64[E] each."""
        error = rating - predicted
        self._squared.update(error * error)
        self._absolute.update(np.abs(error))

    @property
    def n(self) -> int:
        """Ratings taken in."""
        return self._squared.n

    @property
    def rmse(self) -> float:
        """Root mean squared error."""
        return math.sqrt(self._squared.value)

    @property
    def mae(self) -> float:
        """Mean absolute error."""
        return self._absolute.value
