"""Where a factor starts: random-looking numbers that are a function of the 64-bit hash of an id.

Every partition, worker and replay starts an item at the same point without telling the others, so
what a partition has learned is value − start, and the merged factor is start + Σ learned.

A number is the sum of the four 16-bit words of one 64-bit hash (Irwin–Hall, n = 4), centred and
scaled to variance 1: bell-shaped within ±3.46. Up to one division and one product this is integer
arithmetic, so the bytes are the same on every machine; log and cos (Box–Muller) would not be.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.hashing import mix64
from stream_rec.kernels.jit import kernel

_WORD_BITS = np.uint64(16)
_WORD_MASK = np.uint64(0xFFFF)
_WORDS_PER_HASH = 4
_WORDS_MEAN = _WORDS_PER_HASH * (2**16 - 1) / 2
_WORDS_DEVIATION = math.sqrt(_WORDS_PER_HASH * (2.0**32 - 1) / 12)


@kernel
def init_factors(id_hash: np.uint64, out: NDArray[np.floating], scale: float) -> None:
    """Fill a factor with the starting values of an id.

    Parameters
    ----------
    id_hash : uint64
        Hash of the id; mix a seed or a salt into it to get an independent start.
    out : float[d]
        Overwritten: independent, mean 0, standard deviation `scale`.
    scale : float
        Standard deviation; 0 starts everything at the origin.

    Examples
    --------
    >>> start = np.empty(4)
    >>> init_factors(np.uint64(42), start, 0.1)
    >>> start.round(4).tolist()
    [-0.0768, 0.0282, 0.0822, 0.0161]
    """
    state = id_hash
    for factor in range(out.shape[0]):
        state = mix64(state)
        words = state
        total = np.uint64(0)
        for _ in range(_WORDS_PER_HASH):
            total += words & _WORD_MASK
            words >>= _WORD_BITS
        out[factor] = (np.float64(total) - _WORDS_MEAN) / _WORDS_DEVIATION * scale
