"""Angles between implicit factors: how alike two are, whatever their lengths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import place_of, vector_kernel

COSINE_SCALE = 2.4
"""Lets a cosine fill the range of the curves."""
SQUARE_MIN = 1e-12
"""Below this product of squared lengths there is no angle worth telling."""


@vector_kernel
def write_cosines(
    factors: NDArray[np.float32],
    direction: NDArray[np.float32],
    candidate: NDArray[np.int32],
    n_candidates: int,
    x: NDArray[np.float32],
) -> None:
    """Write COSINE_SCALE times the cosine between a direction and each candidate's factor.

    Parameters
    ----------
    factors : float32[N, F]
    direction : float32[F]
    candidate : int32[C]
    n_candidates : int
    x : float32[C]
        Written; 0 where one of the two is 0.
    """
    flat, n_factors = factors.reshape(-1), place_of(len(direction))
    own_square = np.float32(0.0)
    for f in range(n_factors):
        own_square += direction[f] * direction[f]
    for a in range(n_candidates):
        first = place_of(candidate[a]) * n_factors
        product = square = np.float32(0.0)
        for f in range(n_factors):
            product += direction[f] * flat[first + f]
            square += flat[first + f] * flat[first + f]
        length = np.sqrt(max(square * own_square, np.float32(SQUARE_MIN)))
        x[a] = np.float32(COSINE_SCALE) * product / length
