"""What a partition learned that belongs to no single item or user."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.ranker import RankerWeights, start_weights
from stream_rec.kernels.ridge import Crowd, empty_crowd


class Learned(NamedTuple):
    """Of one partition, or the sum over partitions.

    Attributes
    ----------
    ranker : RankerWeights
    crowd : Crowd
        What recent users' implicit factors are like.
    ratings_seen : float64[2]
        Number and sum of all ratings.
    """

    ranker: RankerWeights
    crowd: Crowd
    ratings_seen: NDArray[np.float64]


def nothing_learned(n_features: int, n_factors: int, seed: int) -> Learned:
    """Return the state before any event."""
    return Learned(start_weights(n_features, seed), empty_crowd(n_factors), np.zeros(2))
