"""Curves: piecewise linear functions of one feature each, given by their values at fixed knots.

    c(x) = (1 − t) · value[k] + t · value[k + 1],   k + t = (x − LOWEST) · KNOTS_PER_UNIT

The knots lie at equal distances from LOWEST to HIGHEST, which is where the features lie; outside a
curve goes on as a constant. The gradient of c(x) with regard to the values is 1 − t and t at the
two knots beside x, and 0 elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel

N_KNOTS = 13
"""25 do not rank better, and learn more slowly."""
LOWEST, HIGHEST = -2.5, 2.5
KNOTS_PER_UNIT = (N_KNOTS - 1) / (HIGHEST - LOWEST)


@inner_kernel
def _place(x: np.float32) -> tuple[int, np.float32]:
    """Return k and t."""
    place = (x - np.float32(LOWEST)) * np.float32(KNOTS_PER_UNIT)
    place = min(max(place, np.float32(0.0)), np.float32(N_KNOTS - 1))
    k = min(int(place), N_KNOTS - 2)
    return k, place - np.float32(k)


@kernel
def add_curves(curve: NDArray[np.float32], feature: NDArray[np.float32]) -> float:
    """Return the sum of all curves, each at its feature.

    Parameters
    ----------
    curve : float32[F, N_KNOTS]
    feature : float32[F]
    """
    total = np.float32(0.0)
    for f in range(len(feature)):
        k, t = _place(feature[f])
        total += curve[f, k] + t * (curve[f, k + 1] - curve[f, k])
    return float(total)


@kernel
def add_curve_gradient(
    curve_gradient: NDArray[np.float32], feature: NDArray[np.float32], gradient: np.float32
) -> None:
    """Add the gradient of `add_curves`, times that of the sum.

    Parameters
    ----------
    curve_gradient : float32[F, N_KNOTS]
        Added to.
    feature : float32[F]
    gradient : float32
    """
    for f in range(len(feature)):
        k, t = _place(feature[f])
        after = gradient * t
        curve_gradient[f, k] += gradient - after
        curve_gradient[f, k + 1] += after
