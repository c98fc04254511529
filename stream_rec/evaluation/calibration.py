"""Calibration: how often what the ranker gives a chance of p is really taken.

The ranker learns by a softmax over its candidates, so a candidate's chance is

    p(a) = e^s_a / Σ_b e^s_b

Of some scored events, before they are learned, each item of the first ten goes into a class by its
p; a class holds a mean p and the share of its items that were taken. A ranker that knows what it
knows has them equal. Where the item taken was no candidate at all nothing of the list was taken, so
chances are too high where sources miss much.

Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017
(reliability diagram, expected calibration error).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_CLASSES = 10
CLASS_MEMBERS_MIN = 20


class CalibrationClass(NamedTuple):
    """Listed items of about the same chance.

    Attributes
    ----------
    predicted, taken : float
        Mean chance, and share that was taken.
    n : int
    """

    predicted: float
    taken: float
    n: int


def calibration_classes(
    chance: NDArray[np.float64], taken: NDArray[np.bool_]
) -> list[CalibrationClass]:
    """Put listed items into classes of equal number by their chance, in ascending order.

    Parameters
    ----------
    chance : float64[L]
    taken : bool[L]

    Examples
    --------
    >>> calibration_classes(np.full(40, 0.25), np.arange(40) % 4 == 0)
    [CalibrationClass(predicted=0.25, taken=0.25, n=40)]
    """
    n_classes = min(N_CLASSES, len(chance) // CLASS_MEMBERS_MIN)
    if not n_classes:
        return []
    edges = np.unique(np.quantile(chance, np.linspace(0.0, 1.0, n_classes + 1)[1:-1]))
    number = np.digitize(chance, edges)
    return [
        CalibrationClass(
            float(chance[members].mean()), float(taken[members].mean()), int(members.sum())
        )
        for members in (number == x for x in range(len(edges) + 1))
        if members.any()
    ]


def calibration_error(classes: list[CalibrationClass]) -> float:
    """Return the mean distance between chance and share taken, by members; 0 without classes."""
    n = sum(each.n for each in classes)
    return sum(abs(each.predicted - each.taken) * each.n for each in classes) / n if n else 0.0
