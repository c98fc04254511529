"""Running mean of gains: what a metric has been so far, after every event.

after gains g₁ … g_n: (Σ g) / n
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
