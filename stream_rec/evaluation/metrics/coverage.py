"""Catalogue coverage: the share of the items known that some list has shown.

    coverage = |∪ lists| / |items|

1 when every item was shown at least once; 0 when there is no item or no list.

Source: Ge, Delgado-Battenfeld and Jannach, "Beyond accuracy: evaluating recommender systems by
coverage and serendipity", RecSys 2010.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def coverage(shown: NDArray[np.int64]) -> float:
    """Return the share of items that were shown.

    Parameters
    ----------
    shown : int64[N]
        How often each item was in a list.

    Examples
    --------
    >>> coverage(np.array([3, 0, 1, 0]))
    0.5
    """
    return float(np.count_nonzero(shown) / len(shown)) if len(shown) else 0.0
