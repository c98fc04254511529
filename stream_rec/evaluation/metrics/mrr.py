"""Mean reciprocal rank: the inverse of the place at which the item taken is found.

    MRR@k = mean over events of [rank < k] / (1 + rank)      (rank from 0)

Source: Voorhees, "The TREC-8 question answering track report", 1999.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def reciprocal_rank_gains(rank: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Return what each event adds: 1 / (1 + rank) among the first k, else 0.

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
    >>> reciprocal_rank_gains(np.array([0, 3, 10, -1], np.int32), 10).tolist()
    [1.0, 0.25, 0.0, 0.0]
    """
    listed = (rank >= 0) & (rank < k)
    return np.where(listed, 1.0 / (1.0 + np.maximum(rank, 0)), 0.0)
