"""Normalised discounted cumulative gain: a hit counts less the further down the list it is.

    NDCG@k = mean over events of [rank < k] / log2(2 + rank)      (rank from 0)

There is one relevant item an event, so the ideal gain is 1 and nothing is left to normalise.

Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ndcg_gains(rank: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Return what each event adds: 1 at the top of the list, 1 / log2(2 + rank) below, else 0.

    Parameters
    ----------
    rank : int32[E]
        Place of the item taken, from 0; negative where it was not listed.
    k : int

    Returns
    -------
    float64[E]

    Examples
    --------
    >>> ndcg_gains(np.array([0, 2, 10, -1], np.int32), 10).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    listed = (rank >= 0) & (rank < k)
    return np.where(listed, 1.0 / np.log2(2.0 + np.maximum(rank, 0)), 0.0)
