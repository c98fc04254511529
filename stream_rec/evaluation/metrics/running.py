"""Running mean of gains: what a metric has been so far, one event or one batch at a time.

    RunningMean after gains g₁ … g_n = (Σ g) / n

Means of disjoint parts add up to the mean of the whole, and a part can be taken away again
(`+`, `−`, `revert`): so windows slide, and partitions merge, without keeping the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass
class RunningMean:
    """Mean of what was given so far; 0 before anything was.

    Parameters
    ----------
    total : float
    n : int

    Examples
    --------
    >>> mean = RunningMean()
    >>> mean.update(np.array([1.0, 0.0])).update(np.array([1.0, 1.0])).value
    0.75
    >>> mean.revert(np.array([1.0, 0.0])).value
    1.0
    """

    total: float = 0.0
    n: int = 0

    @property
    def value(self) -> float:
        """The mean; 0 if there is nothing."""
        return self.total / self.n if self.n else 0.0

    def update(self, gains: NDArray[np.float64]) -> Self:
        """Take in the gains of more events."""
        self.total += float(gains.sum())
        self.n += len(gains)
        return self

    def revert(self, gains: NDArray[np.float64]) -> Self:
        """Take the gains of events out again."""
        self.total -= float(gains.sum())
        self.n -= len(gains)
        return self

    def __add__(self, other: RunningMean) -> RunningMean:
        return RunningMean(self.total + other.total, self.n + other.n)

    def __sub__(self, other: RunningMean) -> RunningMean:
        return RunningMean(self.total - other.total, self.n - other.n)


def running_means(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the gains up to and with each event.

    Parameters
    ----------
    gains : float64[E]

    Returns
    -------
    float64[E]
    """
    return np.cumsum(gains) / np.arange(1, len(gains) + 1)
