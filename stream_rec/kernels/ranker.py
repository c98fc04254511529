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

from stream_rec.kernels.curves import N_KNOTS, add_curve_gradient, add_curves
from stream_rec.kernels.hashing import mix64, unit_interval
from stream_rec.kernels.jit import kernel
from stream_rec.kernels.workspace import N_BUCKETS, N_CONTEXT, N_HIDDEN, Workspace

SMALL_GRADIENT = 0.02
"""τ: gradients below are sampled."""
LINEAR_START = 0.1
"""Every source counts a little for a candidate before anything is learned."""
N_ADDED = 3
"""The last feature columns, which weights of row format 1 lack."""


class RankerWeights(NamedTuple):
    """Weights and Adagrad's sums of squares; F features.

    Attributes
    ----------
    linear, linear_squares : float32[1 + N_BUCKETS, 2, F]
        Row 0 for all, then one for each class of history length; [0] on x, [1] on missing.
    curve, curve_squares : float32[1 + N_BUCKETS, F, N_KNOTS]
        Rows as of `linear`.
    hidden, hidden_squares : float32[F + N_CONTEXT, N_HIDDEN]
    output, output_squares : float32[N_HIDDEN]
    """

    linear: NDArray[np.float32]
    linear_squares: NDArray[np.float32]
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
    n_first = n_features - N_ADDED
    hidden = random.normal(0.0, 1.0, (n_first + N_CONTEXT, N_HIDDEN))
    added = random.normal(0.0, 1.0, (N_ADDED, N_HIDDEN))
    hidden = np.insert(hidden, n_first, added, axis=0) / np.sqrt(n_first)
    linear = np.zeros((1 + N_BUCKETS, 2, n_features), np.float32)
    linear[0, 0] = LINEAR_START
    return RankerWeights(
        linear=linear,
        linear_squares=np.ones_like(linear),
        curve=np.zeros((1 + N_BUCKETS, n_features, N_KNOTS), np.float32),
        curve_squares=np.ones((1 + N_BUCKETS, n_features, N_KNOTS), np.float32),
        hidden=hidden.astype(np.float32),
        hidden_squares=np.ones_like(hidden, np.float32),
        output=np.zeros(N_HIDDEN, np.float32),
        output_squares=np.ones(N_HIDDEN, np.float32),
    )


@kernel
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
    n_features = workspace.feature.shape[1]
    first_context = len(weights.hidden) - N_CONTEXT
    from_context = np.zeros(N_HIDDEN, np.float32)
    for c in range(N_CONTEXT):
        for h in range(N_HIDDEN):
            from_context[h] += workspace.context[c] * weights.hidden[first_context + c, h]
    linear = weights.linear[0] + weights.linear[bucket + 1]
    curve = weights.curve[0] + weights.curve[bucket + 1]
    for a in range(n_candidates):
        activation = workspace.hidden[a]
        for h in range(N_HIDDEN):
            activation[h] = from_context[h]
        score = item_bias[workspace.candidate[a]] + add_curves(curve, workspace.feature[a])
        for f in range(n_features):
            x = workspace.feature[a, f]
            score += linear[0, f] * x + linear[1, f] * workspace.missing[a, f]
            for h in range(N_HIDDEN):
                activation[h] += x * weights.hidden[f, h]
        for h in range(N_HIDDEN):
            v = min(max(activation[h], np.float32(-3.0)), np.float32(3.0))
            square = v * v
            v *= (np.float32(27.0) + square) / (np.float32(27.0) + np.float32(9.0) * square)
            activation[h] = v
            score += v * weights.output[h]
        workspace.score[a] = score


@kernel
def rank_of(workspace: Workspace, a: int, n_candidates: int) -> int:
    """Return how many candidates come before candidate `a`: larger scores, ties by place."""
    score = workspace.score
    before = 0
    for other in range(n_candidates):
        if score[other] > score[a] or (score[other] == score[a] and other < a):
            before += 1
    return before


@kernel
def compute_gradients(
    weights: RankerWeights, workspace: Workspace, n_candidates: int, target: int, seed: np.uint64
) -> None:
    """Compute the gradients of the cross-entropy for one event.

    Parameters
    ----------
    weights : RankerWeights
    workspace : Workspace
        Gradients, `stepped` and `step` are written; `score` and `hidden` are used up.
    n_candidates : int
    target : int
        Which candidate was taken.
    seed : uint64
        Decides which small gradients are kept.
    """
    n_features = workspace.feature.shape[1]
    first_context = len(weights.hidden) - N_CONTEXT
    workspace.linear_gradient[:] = 0.0
    workspace.curve_gradient[:] = 0.0
    workspace.hidden_gradient[:] = 0.0
    workspace.output_gradient[:] = 0.0
    score = workspace.score
    highest = score[:n_candidates].max()
    total = 0.0
    for a in range(n_candidates):
        score[a] = np.exp(score[a] - highest)
        total += score[a]
    context_gradient = np.zeros(N_HIDDEN, np.float32)
    n_stepped = 0
    draw = seed
    for a in range(n_candidates):
        gradient = np.float32(score[a] / total - (1.0 if a == target else 0.0))
        size = abs(gradient)
        if size < SMALL_GRADIENT:
            draw = mix64(draw)
            if unit_interval(draw) * SMALL_GRADIENT >= size:
                continue
            gradient = np.float32(SMALL_GRADIENT if gradient > 0.0 else -SMALL_GRADIENT)
        workspace.stepped[n_stepped] = workspace.candidate[a]
        workspace.step[n_stepped] = gradient
        n_stepped += 1
        for f in range(n_features):
            workspace.linear_gradient[0, f] += gradient * workspace.feature[a, f]
            workspace.linear_gradient[1, f] += gradient * workspace.missing[a, f]
        add_curve_gradient(workspace.curve_gradient, workspace.feature[a], gradient)
        back = workspace.hidden[a]
        for h in range(N_HIDDEN):
            v = back[h]
            workspace.output_gradient[h] += gradient * v
            back[h] = gradient * weights.output[h] * (np.float32(1.0) - v * v)
            context_gradient[h] += back[h]
        for f in range(n_features):
            x = workspace.feature[a, f]
            for h in range(N_HIDDEN):
                workspace.hidden_gradient[f, h] += x * back[h]
    for c in range(N_CONTEXT):
        for h in range(N_HIDDEN):
            workspace.hidden_gradient[first_context + c, h] = (
                workspace.context[c] * context_gradient[h]
            )
    workspace.n_stepped[0] = n_stepped
