"""Newton steps for weights of features that say much the same of a candidate.

    A ← (1 − 1/W) · A + ∂ ∂ᵀ;    θ ← θ − (A + I/η)⁻¹ ∂

Adagrad scales each weight by itself, so weights of alike features (the popularities, the link
sources) hinder each other, and what tells two of them apart is learned slowly. A has how gradients
go together. The first steps are as long as Adagrad's at rate η; later ones follow the last W events
of each partition.

Source: Hazan, Agarwal and Kale, "Logarithmic regret algorithms for online convex optimization",
Machine Learning 69, 2007 (online Newton step), with forgetting.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel, place_of, vector_kernel

WINDOW_EVENTS = 30_000.0
"""W, of each partition; 5,000 and 100,000 are as good within .0001 of HR@10."""


@kernel
def newton_step(
    weight: NDArray[np.float32],
    curvature: NDArray[np.float64],
    own_weight: NDArray[np.float32],
    own_curvature: NDArray[np.float64],
    gradient: NDArray[np.float32],
    rate: float,
    separate: bool,
    work: NDArray[np.float64],
) -> None:
    """Take one step; none where A is not definite, which is a damaged row: weights are for good.

    Parameters
    ----------
    weight : float32[D]
        The view's, modified in place.
    curvature : float64[D, D]
        A of the view: the sum over partitions. Only the upper triangle is used.
    own_weight, own_curvature : arrays of the same shapes
        The partition's; get the same increments if `separate`, else they are the view's.
    gradient : float32[D]
    rate : float
        η, as for Adagrad.
    separate : bool
    work : float64[D + 1, D]
        Overwritten.
    """
    _remember(curvature, own_curvature, gradient, separate)
    n = len(gradient)
    step = work[n]
    for i in range(n):
        row, kept = work[i], curvature[i]
        for j in range(i, n):
            row[j] = kept[j]
        row[i] += 1.0 / rate
        step[i] = gradient[i]
    if not _factorise(work, n):
        return
    _solve(work, step)
    for i in range(n):
        weight[i] -= np.float32(step[i])
        if separate:
            own_weight[i] -= np.float32(step[i])


@inner_kernel
def _remember(
    curvature: NDArray[np.float64],
    own: NDArray[np.float64],
    gradient: NDArray[np.float32],
    separate: bool,
) -> None:
    """Add the products of a gradient; what was there fades in the partition."""
    keep = 1.0 - 1.0 / WINDOW_EVENTS
    for i in range(len(gradient)):
        row, own_row, g = curvature[i], own[i], np.float64(gradient[i])
        for j in range(i, len(gradient)):
            before = own_row[j]
            after = before * keep + g * gradient[j]
            own_row[j] = after
            if separate:
                row[j] += after - before


@kernel
def forget_curvature(
    curvature: NDArray[np.float64], own: NDArray[np.float64], keep: float, separate: bool
) -> None:
    """Let a partition keep only a part of its A; the view loses as much if it is `separate`."""
    for i in range(len(own)):
        row, own_row = curvature[i], own[i]
        for j in range(i, len(own)):
            lost = (1.0 - keep) * own_row[j]
            if separate:
                row[j] -= lost
            own_row[j] -= lost


@vector_kernel
def _factorise(matrix: NDArray[np.float64], n: int) -> bool:
    """Replace the upper triangle of a positive definite matrix by U with Uᵀ U = matrix (Cholesky).

    Many features never lack, so the rows of what tells of that are empty and passed over. Whole
    vectors are computed, which begin up to three places before the diagonal: what is there is of no
    use. Returns whether the matrix is positive definite.
    """
    flat, width = matrix.reshape(-1), place_of(n)
    for k in range(width):
        row = k * width
        if not flat[row + k] > 0.0:
            return False
        to_root = 1.0 / math.sqrt(flat[row + k])
        for j in range(k & ~place_of(3), width):
            flat[row + j] *= to_root
        for i in range(k + place_of(1), width):
            share = flat[row + i]
            if share != 0.0:
                other = i * width
                for j in range(i & ~place_of(3), width):
                    flat[other + j] -= share * flat[row + j]
    return True


@vector_kernel
def _solve(factor: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Replace x by the solution y of Uᵀ U y = x."""
    flat, width = factor.reshape(-1), place_of(len(x))
    for k in range(width):
        row = k * width
        share = x[k] / flat[row + k]
        x[k] = share
        if share != 0.0:
            for j in range(k + place_of(1), width):
                x[j] -= share * flat[row + j]
    for z in range(width):
        last = width - place_of(1) - z
        row = last * width
        total = x[last]
        for j in range(last + place_of(1), width):
            total -= flat[row + j] * x[j]
        x[last] = total / flat[row + last]
