"""The steps that the ranker's weights take along the gradients of an event.

    θ ← θ − η · ∂/√(Σ ∂²)

and Newton's (newton.py) for the linear weights that all share. Weights are start value plus the sum
of all steps, so partitions' steps add up. As the sums grow the steps get shorter, until what users
do changes (`forget_sums`).

Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 2011 (Adagrad).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel, spliced_kernel
from stream_rec.kernels.newton import forget_curvature, newton_step
from stream_rec.kernels.ranker import SQUARES_START, RankerWeights
from stream_rec.kernels.workspace import Workspace

BIAS_SHRINKAGE = 0.002
CURVE_RATE = 0.5
"""Learning rate of the curves relative to the others'; 1: −0.0013, the same as no curves."""


@inner_kernel
def _adagrad(
    weight: NDArray[np.float32],
    squares: NDArray[np.float32],
    own_weight: NDArray[np.float32],
    own_squares: NDArray[np.float32],
    gradient: NDArray[np.float32],
    rate: float,
    separate: bool,
) -> None:
    """One step on flat arrays; a partition's own sums, if separate, get the same increments."""
    rate_32 = np.float32(rate)
    if separate:
        for x in range(len(weight)):
            square = gradient[x] * gradient[x]
            own_squares[x] += square
            own_weight[x] -= rate_32 * gradient[x] / np.sqrt(squares[x] + square)
    for x in range(len(weight)):
        squares[x] += gradient[x] * gradient[x]
        weight[x] -= rate_32 * gradient[x] / np.sqrt(squares[x])


@spliced_kernel
def step_weights(
    weights: RankerWeights,
    own: RankerWeights,
    workspace: Workspace,
    bucket: int,
    rate: float,
    separate: bool,
) -> None:
    """Take the step that `compute_gradients` prepared.

    Parameters
    ----------
    weights : RankerWeights
        The view's weights, modified in place.
    own : RankerWeights
        The partition's; get the same increments if `separate`, else they are the view's.
    workspace : Workspace
    bucket : int
    rate : float
        The learning rate.
    separate : bool
    """
    linear_gradient = workspace.linear_gradient.reshape(-1)
    curve_gradient = workspace.curve_gradient.reshape(-1)
    newton_step(
        weights.linear[0].reshape(-1),
        weights.curvature,
        own.linear[0].reshape(-1),
        own.curvature,
        linear_gradient,
        rate,
        separate,
        workspace.newton_work,
    )
    _adagrad(
        weights.linear[bucket + 1].reshape(-1),
        weights.linear_squares[bucket + 1].reshape(-1),
        own.linear[bucket + 1].reshape(-1),
        own.linear_squares[bucket + 1].reshape(-1),
        linear_gradient,
        rate,
        separate,
    )
    for row in (0, bucket + 1):
        _adagrad(
            weights.curve[row].reshape(-1),
            weights.curve_squares[row].reshape(-1),
            own.curve[row].reshape(-1),
            own.curve_squares[row].reshape(-1),
            curve_gradient,
            CURVE_RATE * rate,
            separate,
        )
    _adagrad(
        weights.hidden.reshape(-1),
        weights.hidden_squares.reshape(-1),
        own.hidden.reshape(-1),
        own.hidden_squares.reshape(-1),
        workspace.hidden_gradient.reshape(-1),
        rate,
        separate,
    )
    _adagrad(
        weights.output,
        weights.output_squares,
        own.output,
        own.output_squares,
        workspace.output_gradient,
        rate,
        separate,
    )


@spliced_kernel
def forget_sums(weights: RankerWeights, own: RankerWeights, keep: float, separate: bool) -> None:
    """Let a partition keep only a part of its sums, for longer steps from here on.

    Parameters
    ----------
    weights : RankerWeights
        The view's, modified in place.
    own : RankerWeights
        The partition's; lose as much if `separate`, else they are the view's.
    keep : float
        0 to 1, of squares; all steps are longer by up to 1/√keep.
    separate : bool
    """
    linear, own_linear = weights.linear_squares.reshape(-1), own.linear_squares.reshape(-1)
    curve, own_curve = weights.curve_squares.reshape(-1), own.curve_squares.reshape(-1)
    hidden, own_hidden = weights.hidden_squares.reshape(-1), own.hidden_squares.reshape(-1)
    _forget(linear, own_linear, keep, separate)
    _forget(curve, own_curve, keep, separate)
    _forget(hidden, own_hidden, keep, separate)
    _forget(weights.output_squares, own.output_squares, keep, separate)
    forget_curvature(weights.curvature, own.curvature, math.sqrt(keep), separate)


@inner_kernel
def _forget(
    squares: NDArray[np.float32], own_squares: NDArray[np.float32], keep: float, separate: bool
) -> None:
    """Forget; the view's sums are no less than the partition's, though they round off more."""
    for x in range(len(squares)):
        lost = np.float32(1.0 - keep) * (own_squares[x] - np.float32(SQUARES_START))
        kept = own_squares[x] - lost
        if separate:
            own_squares[x] = kept
        squares[x] = max(squares[x] - lost, kept)


@kernel
def bias_step(bias: float, squares: float, gradient: float, rate: float) -> float:
    """Return what one Adagrad step adds to an item's bias; `squares` includes the gradient's."""
    step = gradient / np.sqrt(squares) + BIAS_SHRINKAGE * abs(gradient) * bias
    return float(-rate * step)
