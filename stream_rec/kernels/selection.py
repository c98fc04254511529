"""The largest of many values, in order: sorted insertion, after most values were passed over.

A value is looked at one by one only if it can be among the k largest. To know that, the n values
are dealt into b = ⌈n / 8⌉ columns, value z into column z mod b; the maxima of the columns are taken
as vectors of integers, for positive numbers are in the order of their bits. Every one of the k
largest maxima is a value of its own, so the k-th largest maximum is a bound: columns whose maximum
is below it hold none of the k largest values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import fill, inline_kernel, kernel, place_of

DEPTH = 8
"""Values in a column."""


def padded(n: int) -> int:
    """Return the length of an array whose first `n` values are to be chosen from."""
    return -(-n // DEPTH) * DEPTH


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


@kernel
def take_largest(
    key: NDArray[np.float32],
    n: int,
    k: int,
    maximum: NDArray[np.float32],
    column: NDArray[np.int32],
    value: NDArray[np.float32],
    at: NDArray[np.int32],
) -> int:
    """Find the k largest positive values, ties by place.

    Parameters
    ----------
    key : float32[padded(n)]
        Those from `n` on are overwritten.
    n, k : int
    maximum : float32[padded(n) / DEPTH], column : int32[padded(n) / DEPTH]
        Overwritten.
    value : float32[k], at : int32[k]
        Written: the values, largest first, and their places.

    Returns
    -------
    int
        How many there are.
    """
    n_columns = (n + DEPTH - 1) // DEPTH
    fill(key[n : n_columns * DEPTH], 0.0)
    fill(maximum[:n_columns], 0.0)
    bits, largest = key.view(np.int32), maximum.view(np.int32)
    for depth in range(DEPTH):
        first = place_of(depth * n_columns)
        for c in range(place_of(n_columns)):
            largest[c] = max(largest[c], bits[first + c])
    n_found = 0
    bound = np.float32(0.0)
    for c in range(n_columns):
        if maximum[c] > bound:
            n_found = insert(value, at, n_found, k, maximum[c], c)
            bound = value[k - 1] if n_found == k else bound
    n_kept = 0
    for c in range(n_columns):
        column[n_kept] = c
        n_kept += 1 if maximum[c] >= bound and maximum[c] > 0.0 else 0
    n_found = 0
    for depth in range(DEPTH):
        for c in range(n_kept):
            place = place_of(depth * n_columns + column[c])
            x = key[place]
            if x >= bound and x > 0.0 and (n_found < k or x > value[k - 1]):
                n_found = insert(value, at, n_found, k, x, int(place))
    return n_found
