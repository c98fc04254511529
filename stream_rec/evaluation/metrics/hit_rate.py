"""Hit rate: the share of events whose item was among the first k of the list.

    HR@k = mean over events of [rank < k]

With one relevant item an event this equals Recall@k. An item that the list does not hold, because
it was not proposed or never seen before, is a miss.

Source: Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hit_gains(rank: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Return what each event adds: 1 for a hit, else 0.

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
    >>> hit_gains(np.array([0, 9, 10, -1], np.int32), 10).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return ((rank >= 0) & (rank < k)).astype(np.float64)
