"""The ranker: scores candidates with weights that are learned online from what users take next.

    s_a = (w₀ + w_bucket) · [x_a, missing_a] + Σ_f (c₀ + c_bucket)_f(x_af)
          + w₂ · tanh(W₁ [x_a, context]) + b_a

with a curve c_f for each feature: a piecewise linear function, its weights the values at its knots
(curves.py). So a source may count differently where it says much and where it says little; a few
hidden units cannot learn that for every source. All is trained by the softmax cross-entropy over
all candidates with the item taken as the target, one step an event (ranker_steps.py):

    p = softmax(s);  g_a = p_a − [a is the target]

Gradients below τ are not dropped but kept with probability |g|/τ at size τ, which leaves their mean
as it is: without the many small ones the softmax learns a wrong order.

Sources: Lou, Caruana and Gehrke, "Intelligible models for classification and regression", KDD 2012
(additive curves); the rational tanh is the (3, 2) Padé approximant; its slope is taken as that of
the function it stands for, 1 − tanh², which is 1 − x²/9 times its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.curves import N_KNOTS, add_curve, add_curve_gradient, write_segments
from stream_rec.kernels.elementary import exp
from stream_rec.kernels.hashing import mix64, unit_interval
from stream_rec.kernels.jit import fill, inner_kernel, kernel, spliced_kernel, vector_kernel
from stream_rec.kernels.workspace import N_BUCKETS, N_CONTEXT, N_HIDDEN, Workspace

SMALL_GRADIENT = 0.02
"""τ: gradients below are sampled."""
SQUARES_START = 1.0
"""What Adagrad's sums start from."""
LINEAR_START = 0.1
"""Every source counts a little for a candidate before anything is learned."""
ADDED_COLUMNS = {2: (-8, -7, -1), 3: (-6, -5, -4), 6: (-3,), 7: (-2,)}
"""Feature columns, counted from behind the last, that came with a row format; the others are of
format 1."""


class RankerWeights(NamedTuple):
    """Weights, Adagrad's sums of squares, and what Newton's steps need; F features.

    Attributes
    ----------
    linear, linear_squares : float32[1 + N_BUCKETS, 2, F]
        Row 0 for all, then one for each class of history length; [0] on x, [1] on missing. Row 0
        takes Newton's steps (newton.py); its squares stay at their start.
    curvature : float64[2 · F, 2 · F]
        Of row 0 of `linear`, upper triangle. In double precision: what rounding leaves in the view
        over millions of steps must stay small beside what makes it definite.
    curve, curve_squares : float32[1 + N_BUCKETS, F, N_KNOTS]
        Rows as of `linear`.
    hidden, hidden_squares : float32[F + N_CONTEXT, N_HIDDEN]
    output, output_squares : float32[N_HIDDEN]
    """

    linear: NDArray[np.float32]
    linear_squares: NDArray[np.float32]
    curvature: NDArray[np.float64]
    curve: NDArray[np.float32]
    curve_squares: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_squares: NDArray[np.float32]
    output: NDArray[np.float32]
    output_squares: NDArray[np.float32]


def start_weights(n_features: int, seed: int) -> RankerWeights:
    """Return the weights before any event; the hidden layer's have a variance of 1 over columns.

    Columns that came later draw after all others, so that these start as they did before: rows of
    weights that were learned without them stay start value plus steps.
    """
    random = np.random.default_rng(seed)
    hidden = np.zeros((n_features + N_CONTEXT, N_HIDDEN))
    n_first = n_features - sum(map(len, ADDED_COLUMNS.values()))
    hidden[columns_of_format(n_features, 1, N_CONTEXT)] = random.normal(
        0.0, 1.0, (n_first + N_CONTEXT, N_HIDDEN)
    )
    for added in ADDED_COLUMNS.values():
        rows = [n_features + column for column in added]
        hidden[rows] = random.normal(0.0, 1.0, (len(rows), N_HIDDEN))
    hidden /= np.sqrt(n_first)
    linear = np.zeros((1 + N_BUCKETS, 2, n_features), np.float32)
    linear[0, 0] = LINEAR_START
    return RankerWeights(
        linear=linear,
        linear_squares=np.full_like(linear, SQUARES_START),
        curvature=np.zeros((2 * n_features, 2 * n_features)),
        curve=np.zeros((1 + N_BUCKETS, n_features, N_KNOTS), np.float32),
        curve_squares=np.full((1 + N_BUCKETS, n_features, N_KNOTS), SQUARES_START, np.float32),
        hidden=hidden.astype(np.float32),
        hidden_squares=np.full_like(hidden, SQUARES_START, np.float32),
        output=np.zeros(N_HIDDEN, np.float32),
        output_squares=np.full(N_HIDDEN, SQUARES_START, np.float32),
    )


def columns_of_format(n_features: int, version: int, n_behind: int = 0) -> NDArray[np.int64]:
    """Return the feature columns that a row format has, and those of what stands behind them.

    Examples
    --------
    >>> columns_of_format(10, 1, n_behind=2).tolist(), columns_of_format(10, 2).tolist()
    ([0, 1, 10, 11], [0, 1, 2, 3, 9])
    """
    later = [n_features + c for v, added in ADDED_COLUMNS.items() if v > version for c in added]
    return np.delete(np.arange(n_features + n_behind), later)


@spliced_kernel
def score_candidates(
    weights: RankerWeights,
    item_bias: NDArray[np.float32],
    workspace: Workspace,
    n_candidates: int,
    bucket: int,
) -> None:
    """Write the scores of all candidates, and the hidden activations that learning needs.

    Parameters
    ----------
    weights : RankerWeights
    item_bias : float32[N]
    workspace : Workspace
        Features and context are read; `score` and `hidden` are written.
    n_candidates, bucket : int
    """
    feature, missing, logit = workspace.feature, workspace.missing, workspace.logit
    for a in range(n_candidates):
        logit[a] = item_bias[workspace.candidate[a]]
    write_segments(weights.curve[0], weights.curve[bucket + 1], workspace.segment)
    for f in range(len(feature)):
        add_curve(workspace.segment[f], feature[f], n_candidates, logit)
        on_x = weights.linear[0, 0, f] + weights.linear[bucket + 1, 0, f]
        on_missing = weights.linear[0, 1, f] + weights.linear[bucket + 1, 1, f]
        _add_linear(logit, feature[f], missing[f], on_x, on_missing, n_candidates)
    _activate(weights, workspace, n_candidates)
    for h in range(N_HIDDEN):
        _add_hidden(logit, workspace.hidden[h], weights.output[h], n_candidates)
    for a in range(n_candidates):
        workspace.score[a] = logit[a]


@vector_kernel
def _add_linear(
    logit: NDArray[np.float32],
    x: NDArray[np.float32],
    missing: NDArray[np.float32],
    on_x: np.float32,
    on_missing: np.float32,
    n: int,
) -> None:
    for a in range(n):
        logit[a] += on_x * x[a] + on_missing * missing[a]


@vector_kernel
def _activate(weights: RankerWeights, workspace: Workspace, n: int) -> None:
    """Write what enters each hidden unit, four features at a time: each pass costs as much."""
    feature, hidden = workspace.feature, weights.hidden
    n_features = len(feature)
    first_context = len(hidden) - N_CONTEXT
    for h in range(N_HIDDEN):
        entering = workspace.hidden[h]
        from_context = np.float32(0.0)
        for c in range(N_CONTEXT):
            from_context += workspace.context[c] * hidden[first_context + c, h]
        fill(entering[:n], from_context)
        f = 0
        while f + 4 <= n_features:
            w0, w1, w2, w3 = hidden[f, h], hidden[f + 1, h], hidden[f + 2, h], hidden[f + 3, h]
            x0, x1, x2, x3 = feature[f], feature[f + 1], feature[f + 2], feature[f + 3]
            for a in range(n):
                entering[a] += w0 * x0[a] + w1 * x1[a] + w2 * x2[a] + w3 * x3[a]
            f += 4
        while f < n_features:
            w0, x0 = hidden[f, h], feature[f]
            for a in range(n):
                entering[a] += w0 * x0[a]
            f += 1


@vector_kernel
def _add_hidden(
    logit: NDArray[np.float32], entering: NDArray[np.float32], weight: np.float32, n: int
) -> None:
    """Add what one hidden unit says, and replace what enters it by its activation."""
    for a in range(n):
        v = min(max(entering[a], np.float32(-3.0)), np.float32(3.0))
        square = v * v
        v *= (np.float32(27.0) + square) / (np.float32(27.0) + np.float32(9.0) * square)
        entering[a] = v
        logit[a] += v * weight


@kernel
def rank_of(workspace: Workspace, a: int, n_candidates: int) -> int:
    """Return how many candidates come before candidate `a`: larger scores, ties by place."""
    score = workspace.score
    before = 0
    for other in range(n_candidates):
        if score[other] > score[a] or (score[other] == score[a] and other < a):
            before += 1
    return before


@spliced_kernel
def compute_gradients(
    weights: RankerWeights, workspace: Workspace, n_candidates: int, target: int, seed: np.uint64
) -> None:
    """Compute the gradients of the cross-entropy for one event.

    Parameters
    ----------
    weights : RankerWeights
    workspace : Workspace
        Gradients, `stepped` and `step` are written.
    n_candidates : int
    target : int
        Which candidate was taken.
    seed : uint64
        Decides which small gradients are kept.
    """
    fill(workspace.linear_gradient.reshape(-1), 0.0)
    fill(workspace.curve_gradient.reshape(-1), 0.0)
    fill(workspace.hidden_gradient.reshape(-1), 0.0)
    fill(workspace.output_gradient, 0.0)
    fill(workspace.context_gradient, 0.0)
    probability = workspace.logit
    _softmax(workspace.score, probability, n_candidates)
    n_stepped = 0
    draw = seed
    for a in range(n_candidates):
        gradient = probability[a] - np.float32(1.0 if a == target else 0.0)
        size = abs(gradient)
        if size < SMALL_GRADIENT:
            draw = mix64(draw)
            if unit_interval(draw) * SMALL_GRADIENT >= size:
                continue
            gradient = np.float32(SMALL_GRADIENT if gradient > 0.0 else -SMALL_GRADIENT)
        workspace.stepped[n_stepped] = workspace.candidate[a]
        workspace.step[n_stepped] = gradient
        n_stepped += 1
        add_curve_gradient(workspace.curve_gradient, workspace.feature, a, gradient)
        _add_gradients(weights, workspace, a, gradient)
    first_context = len(weights.hidden) - N_CONTEXT
    for c in range(N_CONTEXT):
        for h in range(N_HIDDEN):
            workspace.hidden_gradient[first_context + c, h] = (
                workspace.context[c] * workspace.context_gradient[h]
            )
    workspace.n_stepped[0] = n_stepped


@vector_kernel
def _softmax(score: NDArray[np.float64], probability: NDArray[np.float32], n: int) -> None:
    """Write the probabilities that n scores stand for."""
    highest = score[0]
    for a in range(1, n):
        highest = max(highest, score[a])
    for a in range(n):
        probability[a] = score[a] - highest
    total = np.float32(0.0)
    for a in range(n):
        probability[a] = exp(probability[a])
        total += probability[a]
    for a in range(n):
        probability[a] /= total


@inner_kernel
def _add_gradients(
    weights: RankerWeights, workspace: Workspace, a: int, gradient: np.float32
) -> None:
    """Add the gradients of the linear part and of the hidden units for one candidate."""
    feature, missing, back = workspace.feature, workspace.missing, workspace.back
    for h in range(N_HIDDEN):
        v = workspace.hidden[h, a]
        workspace.output_gradient[h] += gradient * v
        back[h] = gradient * weights.output[h] * (np.float32(1.0) - v * v)
        workspace.context_gradient[h] += back[h]
    for f in range(len(feature)):
        x = feature[f, a]
        workspace.linear_gradient[0, f] += gradient * x
        workspace.linear_gradient[1, f] += gradient * missing[f, a]
        row = workspace.hidden_gradient[f]
        for h in range(N_HIDDEN):
            row[h] += x * back[h]
