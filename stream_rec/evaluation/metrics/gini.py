"""Gini index of what lists show: how unevenly places are given to the items known.

    G = Σ_{r=1..N} (2r − N − 1) x_r / (N Σ x)      (x sorted ascending)

0 when every item is shown equally often, towards 1 when one item has all the places; 0 when
nothing was shown. Lower means less concentration on few items.

Source: Fleder and Hosanagar, "Blockbuster culture's next rise or fall", Management Science 2009.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gini(shown: NDArray[np.int64]) -> float:
    """Return the Gini index.

    Parameters
    ----------
    shown : int64[N]
        How often each item was in a list.

    Examples
    --------
    >>> gini(np.array([2, 2, 2, 2])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    total = shown.sum()
    if not total:
        return 0.0
    n = len(shown)
    weight = 2 * np.arange(1, n + 1) - n - 1
    return float((weight * np.sort(shown)).sum() / (n * total))
