"""The largest of many values: a bound is found by bisection, then all that reach it are taken.

Positive numbers are in the order of their bits, so the bits of the bound are found like those of an
integer, by counting how many values reach a guess: 31 guesses at most, and mostly half as many,
because as soon as exactly k values reach one it is a bound. A count fills vector registers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inline_kernel, kernel, place_of, vector_kernel

_BITS_OF_SMALLEST, _BITS_OF_INFINITY = 0x00800000, 0x7F800000
"""Of the smallest normal number: where processors take denormal ones for 0, 0 would reach those."""


@inline_kernel
def insert(
    value: NDArray[np.floating], at: NDArray[np.int32], n: int, n_max: int, x: float, place: int
) -> int:
    """Insert a value and its place into a sorted list of at most `n_max`; return its new length.

    The last one gives way if the list is full: then `x` must be larger. Equal ones stay in front.
    """
    here = min(n, n_max - 1)
    length = here + 1
    while here > 0 and value[here - 1] < x:
        value[here] = value[here - 1]
        at[here] = at[here - 1]
        here -= 1
    value[here] = x
    at[here] = place
    return length


@inline_kernel
def _of_bits(bits: int) -> np.float32:
    return np.float32(np.int32(bits).view(np.float32))


@vector_kernel
def _count(key: NDArray[np.float32], n: int, bound: np.float32) -> np.float32:
    """Return how many of the first n values reach a bound; exact up to 2^24."""
    count = np.float32(0.0)
    for z in range(place_of(n)):
        count += np.float32(1.0) if key[z] >= bound else np.float32(0.0)
    return count


@kernel
def take_largest(key: NDArray[np.float32], n: int, k: int, at: NDArray[np.int32]) -> int:
    """Find the k largest positive, normal values, of equal ones the first.

    Parameters
    ----------
    key : float32[≥ n]
        Finite.
    n, k : int
    at : int32[k + 1]
        Written: their places, in order of place; the last element is overwritten.

    Returns
    -------
    int
        How many there are.
    """
    low, high = _BITS_OF_SMALLEST, _BITS_OF_INFINITY  # k values at most reach high
    n_least = np.float32(k)
    n_reaching = _count(key, n, _of_bits(low))
    if n_reaching <= n_least:
        high = low
    while high - low > 1:
        guess = (low + high) // 2
        n_reaching = _count(key, n, _of_bits(guess))
        if n_reaching > n_least:
            low = guess
        else:
            high = guess
            if n_reaching == n_least:
                low = guess
    bound, tie = _of_bits(high), _of_bits(low)
    n_ties = k - int(_count(key, n, bound))
    n_taken = 0
    for z in range(place_of(n)):
        at[n_taken] = z
        if key[z] >= bound:
            n_taken += 1
        elif key[z] >= tie and n_ties > 0:
            n_ties -= 1
            n_taken += 1
    return n_taken
