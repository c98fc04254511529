"""Curves: piecewise linear functions of one feature each, given by their values at fixed knots.

    c(x) = (1 − t) · value[k] + t · value[k + 1],   k + t = (x − LOWEST) · KNOTS_PER_UNIT

To evaluate, each piece is taken as a line over the place p = k + t, a_k + b_k · p, so that a value
is two look-ups and one multiplication. The knots lie at equal distances from LOWEST to HIGHEST,
which is where the features lie; outside a curve goes on as a constant. The gradient of c(x) with
regard to the values is 1 − t and t at the two knots beside x, and 0 elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inline_kernel, kernel, place_of, vector_kernel

N_KNOTS = 13
"""25 do not rank better, and learn more slowly."""
LOWEST, HIGHEST = -2.5, 2.5
N_SEGMENTS = N_KNOTS - 1
KNOTS_PER_UNIT = N_SEGMENTS / (HIGHEST - LOWEST)
_SCALE, _SHIFT = np.float32(KNOTS_PER_UNIT), np.float32(-LOWEST * KNOTS_PER_UNIT)
_LAST = np.nextafter(np.float32(N_SEGMENTS), np.float32(0.0))
"""The largest place in the last segment."""


@inline_kernel
def _place(x: np.float32) -> np.float32:
    """Return k + t; of NaN 0, for it becomes an index."""
    place = x * _SCALE + _SHIFT
    return min(place if place > np.float32(0.0) else np.float32(0.0), _LAST)


@kernel
def write_segments(
    common: NDArray[np.float32], own: NDArray[np.float32], segment: NDArray[np.float32]
) -> None:
    """Write the lines of the curves that are the sums of two.

    Parameters
    ----------
    common, own : float32[F, N_KNOTS]
    segment : float32[F, 2 * N_SEGMENTS]
        Written: a_0, b_0, a_1, b_1, … of each curve.
    """
    for f in range(len(common)):
        value = common[f, 0] + own[f, 0]
        for k in range(N_SEGMENTS):
            following = common[f, k + 1] + own[f, k + 1]
            slope = following - value
            segment[f, 2 * k] = value - np.float32(k) * slope
            segment[f, 2 * k + 1] = slope
            value = following


@vector_kernel
def add_curve(
    segment: NDArray[np.float32], feature: NDArray[np.float32], n: int, total: NDArray[np.float32]
) -> None:
    """Add one curve at a feature of n candidates.

    Parameters
    ----------
    segment : float32[2 * N_SEGMENTS]
    feature : float32[C]
    n : int
    total : float32[C]
        Added to.
    """
    for a in range(place_of(n)):
        place = _place(feature[a])
        k = place_of(np.int32(place)) * place_of(2)
        total[a] += segment[k] + segment[k + place_of(1)] * place


@kernel
def add_curve_gradient(
    curve_gradient: NDArray[np.float32], feature: NDArray[np.float32], a: int, gradient: np.float32
) -> None:
    """Add the gradient of all curves at candidate `a`, times that of the sum.

    Parameters
    ----------
    curve_gradient : float32[F, N_KNOTS]
        Added to.
    feature : float32[W, C]
    a : int
    gradient : float32
    """
    for f in range(len(feature)):
        place = _place(feature[f, a])
        k = np.int32(place)
        after = gradient * (place - np.float32(k))
        curve_gradient[f, k] += gradient - after
        curve_gradient[f, k + 1] += after
