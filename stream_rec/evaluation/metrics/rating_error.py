"""Errors of predicted ratings, running: root mean squared (RMSE) and mean absolute (MAE).

    RMSE = √(Σ (r − r̂)² / n)        MAE = Σ |r − r̂| / n

Each rating is predicted before it is learned. Over no ratings both are 0. The running metrics are
river's.

Source: Herlocker, Konstan, Terveen and Riedl, "Evaluating collaborative filtering recommender
systems", TOIS 2004.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from river.metrics import MAE, RMSE


@dataclass
class RatingError:
    """RMSE and MAE of the predictions so far.

    Attributes
    ----------
    n : int
        Ratings taken in.
    course : list of (int, float)
        Number of ratings and RMSE after each update.

    Examples
    --------
    >>> error = RatingError()
    >>> error.update(np.array([4.0, 2.0]), np.array([3.0, 5.0]))
    >>> round(error.rmse, 3), error.mae, error.n
    (2.236, 2.0, 2)
    """

    n: int = 0
    course: list[tuple[int, float]] = field(default_factory=list)
    _rmse: RMSE = field(default_factory=RMSE)
    _mae: MAE = field(default_factory=MAE)

    def update(self, rating: NDArray[np.float64], predicted: NDArray[np.floating]) -> None:
        """Take in ratings with what was predicted for them, float[E] each."""
        for truth, guess in zip(rating.tolist(), predicted.tolist(), strict=True):
            self._rmse.update(truth, guess)
            self._mae.update(truth, guess)
        self.n += len(rating)
        self.course.append((self.n, self.rmse))

    @property
    def rmse(self) -> float:
        """Root mean squared error."""
        return float(self._rmse.get())

    @property
    def mae(self) -> float:
        """Mean absolute error."""
        return float(self._mae.get())
