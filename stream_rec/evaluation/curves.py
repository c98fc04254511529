"""Curves over the scored events of a log: the running mean, and the mean of the latest ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.metrics.running import running_means

N_POINTS = 240
MOVING_SHARE = 0.05
MOVING_EVENTS_MIN = 200


class Curve(NamedTuple):
    """P points of a curve.

    Attributes
    ----------
    event : int64[P]
        Scored events so far.
    value : float64[P]
    """

    event: NDArray[np.int64]
    value: NDArray[np.float64]


def running_curve(gains: NDArray[np.float64]) -> Curve:
    """Return the mean gain from the first event on.

    Parameters
    ----------
    gains : float64[S]
        At least one.

    Examples
    --------
    >>> running_curve(np.array([1.0, 0.0])).value.tolist()
    [1.0, 0.5]
    """
    event = _points(len(gains))
    return Curve(event, running_means(gains)[event - 1])


def moving_curve(gains: NDArray[np.float64], width: int) -> Curve:
    """Return the mean gain of the latest `width` events, of fewer at the beginning.

    Parameters
    ----------
    gains : float64[S]
        At least one.
    width : int

    Examples
    --------
    >>> moving_curve(np.array([1.0, 0.0, 0.0]), 2).value.tolist()
    [1.0, 0.5, 0.0]
    """
    total = np.concatenate([[0.0], np.cumsum(gains)])
    event = _points(len(gains))
    first = np.maximum(event - width, 0)
    return Curve(event, (total[event] - total[first]) / (event - first))


def moving_width(n_scored: int) -> int:
    """Return how many events a moving mean takes on a log of this size."""
    return max(int(n_scored * MOVING_SHARE), MOVING_EVENTS_MIN)


def _points(n: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(1, n, min(n, N_POINTS)).round().astype(np.int64))
