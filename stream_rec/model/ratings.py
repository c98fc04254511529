"""Explicit ratings in the fold: biases and factors, learned by the step of biased_mf.py.

A row is bias, then factors, in raw units of the scale. All zeros means that nothing was rated yet;
with the first rating a row starts at the factors that its id gives, the same in every partition, so
what partitions learned adds up as start + Σ (row − start).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.biased_mf import learn_rating, predict_rating
from stream_rec.kernels.initial_factors import init_factors
from stream_rec.kernels.jit import allocating_kernel

START_SCALE = 0.1
START_SALT = 0x72617465
"""Starts the factors of ratings elsewhere than the implicit ones of the same id."""
LEARNING_RATE_BIAS = 0.02
LEARNING_RATE_FACTORS = 0.02
REG = 0.02
GRADIENT_MAX = 4.0
"""Bounds a step on scales of hundreds, which would not converge otherwise."""


@allocating_kernel
def has_started(row: NDArray[np.float32]) -> bool:
    """Tell whether a row is anything but 0; one factor alone is 0 in one start of 95,000."""
    return bool(np.any(row))


@allocating_kernel
def start_rating(row: NDArray[np.float32], id_hash: np.uint64) -> None:
    """Put a row that has learned nothing at its start."""
    if not has_started(row):
        init_factors(id_hash ^ np.uint64(START_SALT), row[1:], START_SCALE)


@allocating_kernel
def add_rating(total: NDArray[np.float32], row: NDArray[np.float32], id_hash: np.uint64) -> None:
    """Add what a partition's row has learned to the view's."""
    if not has_started(row):
        return
    start_rating(total, id_hash)
    start = np.zeros_like(row)
    start_rating(start, id_hash)
    for f in range(len(row)):
        total[f] += row[f] - start[f]


@allocating_kernel
def expect_rating(
    ratings_seen: NDArray[np.float64],
    user_row: NDArray[np.float32],
    item_row: NDArray[np.float32],
    user_hash: np.uint64,
    item_hash: np.uint64,
) -> float:
    """Return the rating expected; a row that has learned nothing counts as its start.

    Parameters
    ----------
    ratings_seen : float64[2]
    user_row, item_row : float32[F + 1]
        Not modified.
    user_hash, item_hash : uint64
    """
    user, item = user_row.copy(), item_row.copy()
    start_rating(user, user_hash)
    start_rating(item, item_hash)
    return predict_rating(ratings_seen, user, item)


@allocating_kernel
def rate(
    ratings_seen: NDArray[np.float64],
    own_ratings_seen: NDArray[np.float64],
    learns_mean: bool,
    user_row: NDArray[np.float32],
    item_row: NDArray[np.float32],
    own_item_row: NDArray[np.float32],
    learns_item: bool,
    user_hash: np.uint64,
    item_hash: np.uint64,
    value: float,
    separate: bool,
) -> float:
    """Learn one rating and return what was expected before.

    Parameters
    ----------
    ratings_seen, own_ratings_seen : float64[2]
        Of the view and of the partition.
    learns_mean, learns_item : bool
        False where the rating is in the durable state already, as in a replay.
    user_row, item_row, own_item_row : float32[F + 1]
        The user's, the view's and the partition's.
    user_hash, item_hash : uint64
    value : float
    separate : bool
        Whether the partition's sums are others than the view's.
    """
    start_rating(user_row, user_hash)
    start_rating(item_row, item_hash)
    expected = predict_rating(ratings_seen, user_row, item_row)
    mean = ratings_seen if learns_mean else ratings_seen.copy()
    item = item_row if learns_item else item_row.copy()
    before = item.copy()
    learn_rating(
        mean,
        user_row,
        item,
        value,
        LEARNING_RATE_BIAS,
        LEARNING_RATE_FACTORS,
        REG,
        REG,
        GRADIENT_MAX,
    )
    if separate and learns_mean:
        own_ratings_seen[0] += 1.0
        own_ratings_seen[1] += value
    if separate and learns_item:
        start_rating(own_item_row, item_hash)
        for f in range(len(item)):
            own_item_row[f] += item[f] - before[f]
    return expected
