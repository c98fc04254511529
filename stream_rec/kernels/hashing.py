"""Hashes and counter-based random numbers: functions of their arguments, never of a hidden state.

A random number is a hash of what it is for (seed, partition, offset, row), so a replay of the same
events draws the same numbers whatever was drawn in between.

The mixer is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014).
"""

from __future__ import annotations

import numba as nb
import numpy as np

_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT_INTERVAL = 2.0**-53


@nb.njit("uint64(uint64)", cache=True, nogil=True)
def mix64(x: np.uint64) -> np.uint64:
    """Scramble 64 bits so that every input bit changes about half of the output bits.

    Parameters
    ----------
    x : uint64
        Any value; consecutive ones give unrelated results.

    Returns
    -------
    uint64
    """
    z = x + _GOLDEN_GAMMA
    z = (z ^ (z >> np.uint64(30))) * _MULTIPLIER_1
    z = (z ^ (z >> np.uint64(27))) * _MULTIPLIER_2
    return z ^ (z >> np.uint64(31))


@nb.njit("float64(uint64)", cache=True, nogil=True)
def unit_interval(x: np.uint64) -> float:
    """Map the hash of `x` to a number in [0, 1), uniform over inputs.

    Examples
    --------
    >>> 0.0 <= unit_interval(np.uint64(7)) < 1.0
    True
    """
    return (mix64(x) >> np.uint64(11)) * _TO_UNIT_INTERVAL
