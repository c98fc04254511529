"""What a partition learned that belongs to no single item or user."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.adaptive_window import AdaptiveWindow, empty_window
from stream_rec.kernels.item_rows import ItemRows
from stream_rec.kernels.ranker import RankerWeights, start_weights
from stream_rec.kernels.ridge import Crowd, empty_crowd


class Learned(NamedTuple):
    """Of one partition, or the sum over partitions; the window does not add up.

    Attributes
    ----------
    ranker : RankerWeights
    crowd : Crowd
        What recent users' implicit factors are like.
    ratings_seen : float64[2]
        Number and sum of all ratings.
    hits : AdaptiveWindow
        Whether the partition's latest lists held what was taken; of a sum, nothing.
    """

    ranker: RankerWeights
    crowd: Crowd
    ratings_seen: NDArray[np.float64]
    hits: AdaptiveWindow


class Partition(NamedTuple):
    """What one partition owns of the model.

    Attributes
    ----------
    rows : ItemRows
    learned : Learned
    learned_durable : int64[1]
        Event offset up to which it had learned on recovery.
    seed : uint64[1]
        Of every random draw of this partition.
    """

    rows: ItemRows
    learned: Learned
    learned_durable: NDArray[np.int64]
    seed: NDArray[np.uint64]


def nothing_learned(n_features: int, n_factors: int, seed: int) -> Learned:
    """Return the state before any event."""
    return Learned(
        start_weights(n_features, seed), empty_crowd(n_factors), np.zeros(2), empty_window()
    )
