"""Exponentially decayed weights, kept as the logarithm of a forward-decayed sum.

An event of weight c at time t counts c · 2^(−(now − t)/h) at any later time. Summed over events
this is 2^(−now/h) · Σ c · 2^(t/h), so it is enough to keep

    L = log2 Σ c · 2^(t/h)

which never has to be rescaled, cannot overflow, and orders items alike at every `now`. Late events
enter at their own time. Two such sums add by `add_log2` and that is all that merging partitions
takes.

Source: Cormode, Shkapenyuk, Srivastava and Xu, "Forward decay", ICDE 2009; the logarithm is ours.
"""

from __future__ import annotations

import math

import numba as nb

EMPTY = -math.inf
"""The logarithm of an empty sum."""
LEAST_LEFT = 1e-3
"""Share of a sum that must be left for a subtraction to keep 13 of its 16 digits."""


@nb.njit("float64(float64, float64)", cache=True, nogil=True)
def add_log2(a: float, b: float) -> float:
    """Return log2(2^a + 2^b) without leaving the range of a float.

    Examples
    --------
    >>> add_log2(3.0, 3.0)
    4.0
    >>> add_log2(EMPTY, 1.5)
    1.5
    """
    high = max(a, b)
    low = min(a, b)
    if low == EMPTY:
        return high
    return high + math.log2(1.0 + 2.0 ** (low - high))


@nb.njit("float64(float64, float64, float64)", cache=True, nogil=True)
def replace_log2(total: float, old: float, new: float) -> float:
    """Return log2(2^total − 2^old + 2^new): the sum after one of its terms has changed.

    Parameters
    ----------
    total, old, new : float
        `old` is one of the terms of `total`.

    Returns
    -------
    float
        NaN where what is left is too small beside what was taken out to be exact; the caller sums
        the terms anew.

    Examples
    --------
    >>> replace_log2(2.0, 1.0, 2.0) == math.log2(6)
    True
    >>> replace_log2(EMPTY, EMPTY, 1.5)
    1.5
    """
    high = max(total, new)
    if high == EMPTY or old == new:
        return total
    left = 2.0 ** (total - high) - 2.0 ** (old - high) + 2.0 ** (new - high)
    return high + math.log2(left) if left > LEAST_LEFT else math.nan


@nb.njit("float64(float64, float64)", cache=True, nogil=True)
def decayed_weight(time_s: float, half_life_s: float) -> float:
    """Return the logarithm of the forward-decayed weight of one event of weight 1.

    An infinite half-life gives 0 whatever the time, which turns the sum into log2 of a plain count.
    """
    return time_s / half_life_s
