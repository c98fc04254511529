"""ADWIN: a window over the latest hits and misses that is as long as its mean stays the same.

The values are kept as an exponential histogram: buckets of 2^r values each, at most MAX_BUCKETS of
a size, so W values take O(log W) numbers. At every CHECK_EVERY-th value all splits into an older
part of n₀ values and a newer part of n₁ are looked at. Where their means differ by more than ε, the
older part of the split that exceeds it most is dropped:

    ε = √(2/m · σ² · ln(2 ln W / δ)) + 2/(3m) · ln(2 ln W / δ),   1/m = 1/n₀ + 1/n₁

As the values are 0 and 1, σ² is p(1 − p) and every number kept is an integer.

Source: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007
(ADWIN2); MAX_BUCKETS, CHECK_EVERY and the shortest parts are those of MOA and river.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel

CONFIDENCE = 0.002
"""δ: how likely a change is found, at one check, where there is none."""
CHECK_EVERY = 32
MAX_BUCKETS = 5
N_ROWS = 32
"""Bucket sizes: the window holds up to 2^32 values."""
SHORTEST_PART = 5
SHORTEST_WINDOW = 10


class AdaptiveWindow(NamedTuple):
    """The buckets of a window; row r has those of 2^r values.

    Attributes
    ----------
    ones : float64[N_ROWS, MAX_BUCKETS + 1]
        Sum of each bucket, oldest first.
    n_buckets : float64[N_ROWS]
    n_values : float64[1]
        Values ever added.
    n_changes : float64[2]
        How often the mean was found to have fallen, to have risen.
    """

    ones: NDArray[np.float64]
    n_buckets: NDArray[np.float64]
    n_values: NDArray[np.float64]
    n_changes: NDArray[np.float64]


def empty_window() -> AdaptiveWindow:
    """Allocate a window without values."""
    return AdaptiveWindow(
        ones=np.zeros((N_ROWS, MAX_BUCKETS + 1)),
        n_buckets=np.zeros(N_ROWS),
        n_values=np.zeros(1),
        n_changes=np.zeros(2),
    )


@kernel
def add_value(window: AdaptiveWindow, is_hit: bool) -> float:
    """Add a value to a window and drop what no longer belongs to it.

    Returns
    -------
    float
        By how much the mean of the window went up because older values were dropped; 0 as long as
        no change is found.
    """
    window.n_values[0] += 1.0
    _append(window, 0, 1.0 if is_hit else 0.0)
    row = 0
    while window.n_buckets[row] > MAX_BUCKETS and row + 1 < N_ROWS:
        _append(window, row + 1, window.ones[row, 0] + window.ones[row, 1])
        _drop_oldest(window, row, 2)
        row += 1
    if window.n_values[0] % CHECK_EVERY != 0.0:
        return 0.0
    n_changed = _find_change(window)
    if n_changed == 0.0:
        return 0.0
    before = mean_of(window)
    _drop_values(window, n_changed)
    change = mean_of(window) - before
    if change < 0.0:
        window.n_changes[0] += 1.0
    else:
        window.n_changes[1] += 1.0
    return change


@kernel
def mean_of(window: AdaptiveWindow) -> float:
    """Return the mean of the values in a window; 0 of none."""
    n_values, total = _sums(window)
    return total / n_values if n_values > 0.0 else 0.0


@inner_kernel
def _append(window: AdaptiveWindow, row: int, ones: float) -> None:
    window.ones[row, int(window.n_buckets[row])] = ones
    window.n_buckets[row] += 1.0


@inner_kernel
def _drop_oldest(window: AdaptiveWindow, row: int, n_dropped: int) -> None:
    n_left = int(window.n_buckets[row]) - n_dropped
    for x in range(n_left):
        window.ones[row, x] = window.ones[row, x + n_dropped]
    window.n_buckets[row] = n_left


@inner_kernel
def _drop_values(window: AdaptiveWindow, n_values: float) -> None:
    """Drop the oldest buckets, of so many values together."""
    for row in range(N_ROWS - 1, -1, -1):
        while n_values > 0.0 and window.n_buckets[row] > 0.0:
            _drop_oldest(window, row, 1)
            n_values -= 2.0**row


@inner_kernel
def _sums(window: AdaptiveWindow) -> tuple[float, float]:
    """Return the number and the sum of the values in a window."""
    n_values = total = 0.0
    for row in range(N_ROWS):
        n_values += window.n_buckets[row] * 2.0**row
        for x in range(int(window.n_buckets[row])):
            total += window.ones[row, x]
    return n_values, total


@inner_kernel
def _find_change(window: AdaptiveWindow) -> float:
    """Return how many of the oldest values differ most from all newer ones; 0: none do."""
    n_values, total = _sums(window)
    if n_values <= SHORTEST_WINDOW:
        return 0.0
    mean = total / n_values
    log_term = math.log(2.0 * math.log(n_values) / CONFIDENCE)
    n_changed, most = 0.0, 1.0
    n_older = older = 0.0
    for row in range(N_ROWS - 1, -1, -1):
        for x in range(int(window.n_buckets[row])):
            n_older += 2.0**row
            older += window.ones[row, x]
            n_newer = n_values - n_older
            if min(n_older, n_newer) < SHORTEST_PART:
                continue
            one_over_m = 1.0 / n_older + 1.0 / n_newer
            allowed = math.sqrt(2.0 * one_over_m * mean * (1.0 - mean) * log_term)
            allowed += 2.0 / 3.0 * one_over_m * log_term
            excess = abs(older / n_older - (total - older) / n_newer) / allowed
            if excess > most:
                n_changed, most = n_older, excess
    return n_changed
