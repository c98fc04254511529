"""Novelty: how little known the listed items are, in bits.

    novelty = mean over listed items of −log2 p(i)      p(i) = events of item i / events

p is that of the whole log, so lists of different moments compare. An item with one event in 1,024
has a novelty of 10 bits. Items without events do not count; 0 when nothing was shown.

Source: Zhou, Kuscsik, Liu, Medo, Wakeling and Zhang, "Solving the apparent diversity-accuracy
dilemma of recommender systems", PNAS 2010 (self-information).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def novelty(shown: NDArray[np.int64], n_events: NDArray[np.int64]) -> float:
    """Return the mean self-information of the listed items, in bits.

    Parameters
    ----------
    shown : int64[N]
        How often each item was in a list.
    n_events : int64[N]
        Events of each item.

    Examples
    --------
    >>> round(novelty(np.array([1, 1]), np.array([12, 4])), 4)
    1.2075
    """
    known = n_events > 0
    n_shown = shown[known].sum()
    if not n_shown:
        return 0.0
    bits = -np.log2(n_events[known] / n_events.sum())
    return float((shown[known] * bits).sum() / n_shown)
