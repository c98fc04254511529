"""Made-up ranker weights, candidates and biases, and their scores the slow way."""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.curves import HIGHEST, LOWEST, N_KNOTS
from stream_rec.kernels.ranker import RankerWeights, start_weights
from stream_rec.kernels.workspace import N_CONTEXT, Workspace, empty_workspace

N_ITEMS = 40
N_FEATURES = 9


def random_weights(seed: int) -> RankerWeights:
    """Return weights that differ everywhere, so that every part of the score tells."""
    random = np.random.default_rng(seed)
    weights = RankerWeights(
        *(
            np.abs(array) + random.random(array.shape, np.float32) * 0.3
            if name.endswith("squares")
            else array + random.normal(0, 0.2, array.shape).astype(np.float32)
            for name, array in start_weights(N_FEATURES, seed)._asdict().items()
        )
    )
    gradients = random.normal(0, 0.5, (100, len(weights.curvature)))
    return weights._replace(curvature=np.triu(gradients.T @ gradients))


def random_workspace(seed: int, n_candidates: int, n_written: int = N_FEATURES) -> Workspace:
    random = np.random.default_rng(seed)
    workspace = empty_workspace(N_ITEMS, 10, N_ITEMS, N_FEATURES, n_written, 1, 5)
    workspace.feature[:] = random.normal(0, 0.4, workspace.feature.shape)
    workspace.missing[:] = random.integers(0, 2, workspace.missing.shape)
    workspace.context[:] = random.normal(0, 0.3, N_CONTEXT)
    workspace.candidate[:n_candidates] = random.permutation(N_ITEMS)[:n_candidates]
    return workspace


def random_bias(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, N_ITEMS).astype(np.float32)


def slow_scores(
    weights: RankerWeights, bias: np.ndarray, workspace: Workspace, n: int, bucket: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and what enters the tanh, in double precision; columns not written say 0."""
    lacking = ((0, 0), (0, N_FEATURES - len(workspace.feature)))
    x = np.pad(workspace.feature[:, :n].T.astype(float), lacking)
    missing = np.pad(workspace.missing[:, :n].T.astype(float), lacking)
    linear = weights.linear[0].astype(float) + weights.linear[1 + bucket]
    entering = np.hstack([x, np.tile(workspace.context, (n, 1))]) @ weights.hidden.astype(float)
    v = np.clip(entering, -3.0, 3.0)
    hidden = v * (27.0 + v**2) / (27.0 + 9.0 * v**2)
    scores = x @ linear[0] + missing @ linear[1] + hidden @ weights.output.astype(float)
    curve = weights.curve[0].astype(float) + weights.curve[1 + bucket]
    n_written = len(workspace.feature)
    scores += slow_curves(curve[:n_written], x)
    return scores + bias[workspace.candidate[:n]], entering


def slow_curves(curve: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the sum of the curves of all columns, for each row."""
    knots = np.linspace(LOWEST, HIGHEST, N_KNOTS)
    return sum(np.interp(x[:, f], knots, curve[f]) for f in range(len(curve)))
