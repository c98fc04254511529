"""The ranker against its formula, and its gradients against differences of the cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.ranker import (
    SMALL_GRADIENT,
    RankerWeights,
    compute_gradients,
    rank_of,
    score_candidates,
)
from stream_rec.kernels.workspace import N_BUCKETS, Workspace
from tests.kernels.rankers import (
    N_FEATURES,
    N_ITEMS,
    random_bias,
    random_weights,
    random_workspace,
    slow_scores,
)

seeds = st.integers(0, 2**32 - 1)
buckets = st.integers(0, N_BUCKETS - 1)


def cross_entropy(scores: np.ndarray, target: int) -> float:
    return float(np.log(np.exp(scores - scores[target]).sum()))


@given(seeds, buckets, st.integers(1, N_ITEMS), st.integers(N_FEATURES - 2, N_FEATURES))
def test_scores_equal_the_formula(seed: int, bucket: int, n: int, n_written: int) -> None:
    weights, bias = random_weights(seed), random_bias(seed)
    workspace = random_workspace(seed, n, n_written)
    workspace.feature[:] *= 5.0
    score_candidates(weights, bias, workspace, n, bucket)
    expected, _ = slow_scores(weights, bias, workspace, n, bucket)
    assert workspace.score[:n] == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=20))
def test_rank_is_the_place_in_the_sorted_list(scores: list[float]) -> None:
    workspace = random_workspace(0, len(scores))
    workspace.score[: len(scores)] = scores
    order = sorted(range(len(scores)), key=lambda a: (-scores[a], a))
    ranks = [rank_of(workspace, a, len(scores)) for a in range(len(scores))]
    assert ranks == [order.index(a) for a in range(len(scores))]


def slope_by_differences(
    weights: RankerWeights, name: str, place: tuple[int, ...], *situation: object
) -> float:
    """Return the derivative of the cross-entropy with regard to one weight."""
    bias, workspace, n, bucket, target = situation
    step = 1e-4
    losses = []
    for sign in (1.0, -1.0):
        moved = {key: array.astype(float) for key, array in weights._asdict().items()}
        moved[name][place] += sign * step
        scores, _ = slow_scores(RankerWeights(**moved), bias, workspace, n, bucket)
        losses.append(cross_entropy(scores, target))
    return (losses[0] - losses[1]) / (2 * step)


def with_large_gradients(seed: int, n: int, bucket: int, target: int) -> tuple:
    """Return a situation in which no gradient is small enough to be sampled."""
    weights, workspace, bias = random_weights(seed), random_workspace(seed, n), random_bias(seed)
    score_candidates(weights, bias, workspace, n, bucket)
    scores, entering = slow_scores(weights, bias, workspace, n, bucket)
    probability = np.exp(scores) / np.exp(scores).sum()
    gradient = probability - np.eye(n)[target]
    assert np.abs(gradient).min() > SMALL_GRADIENT, "choose another seed"
    return weights, workspace, bias, gradient, entering


@pytest.mark.parametrize(("seed", "bucket", "target"), [(0, 0, 0), (5, 3, 4), (3, 1, 2)])
def test_gradients_equal_numerical_differentiation(seed: int, bucket: int, target: int) -> None:
    n = 5
    weights, workspace, bias, gradient, entering = with_large_gradients(seed, n, bucket, target)
    compute_gradients(weights, workspace, n, target, seed)
    situation = (bias, workspace, n, bucket, target)
    for place in np.ndindex(2, N_FEATURES):
        expected = slope_by_differences(weights, "linear", (0, *place), *situation)
        own = slope_by_differences(weights, "linear", (1 + bucket, *place), *situation)
        assert workspace.linear_gradient[place] == pytest.approx(expected, abs=2e-4)
        assert own == pytest.approx(expected, abs=1e-9)
    for place in np.ndindex(workspace.curve_gradient.shape):
        expected = slope_by_differences(weights, "curve", (1 + bucket, *place), *situation)
        assert workspace.curve_gradient[place] == pytest.approx(expected, abs=2e-4)
    for place in np.ndindex(weights.output.shape):
        expected = slope_by_differences(weights, "output", place, *situation)
        assert workspace.output_gradient[place] == pytest.approx(expected, abs=2e-4)
    stepped = workspace.stepped[: workspace.n_stepped[0]].tolist()
    assert stepped == workspace.candidate[:n].tolist()
    assert workspace.step[:n] == pytest.approx(gradient, abs=1e-4)
    check_hidden(weights, workspace, gradient, entering)


def test_columns_that_are_not_written_get_no_gradients_and_the_others_their_own() -> None:
    n, bucket, target, n_written = 5, 3, 4, N_FEATURES - 1
    weights, bias = random_weights(2), random_bias(2)
    unwritten, silent = random_workspace(2, n, n_written), random_workspace(2, n)
    for name in ("feature", "missing"):
        getattr(silent, name)[n_written:] = 0.0
        getattr(unwritten, name)[:] = getattr(silent, name)[:n_written]
    for workspace in (unwritten, silent):
        workspace.context[:] = np.linspace(-1.0, 1.0, len(workspace.context))
        workspace.candidate[:n] = range(n)
        score_candidates(weights, bias, workspace, n, bucket)
        compute_gradients(weights, workspace, n, target, 7)
    last_curve = unwritten.curve_gradient[n_written:]
    assert not last_curve.any()
    silent.curve_gradient[n_written:] = 0.0
    for name in ("linear", "curve", "hidden", "output"):
        found = getattr(unwritten, f"{name}_gradient")
        assert found == pytest.approx(getattr(silent, f"{name}_gradient"), abs=1e-6)
        assert found.any()


def check_hidden(
    weights: RankerWeights, workspace: Workspace, gradient: np.ndarray, entering: np.ndarray
) -> None:
    """The slope of the rational tanh is taken as that of tanh, 1 − tanh²; all else is exact."""
    v = np.clip(entering, -3.0, 3.0)
    slope = 1.0 - (v * (27.0 + v**2) / (27.0 + 9.0 * v**2)) ** 2
    n = len(gradient)
    inputs = np.hstack([workspace.feature[:, :n].T, np.tile(workspace.context, (n, 1))])
    expected = inputs.T @ (gradient[:, None] * slope * weights.output)
    assert workspace.hidden_gradient == pytest.approx(expected, abs=2e-4)


def test_hidden_gradient_is_the_derivative_where_the_rational_tanh_is_close() -> None:
    n, bucket, target = 4, 1, 2
    weights, workspace, bias = random_weights(5), random_workspace(5, n), random_bias(5)
    weights.hidden[:] *= 0.1
    score_candidates(weights, bias, workspace, n, bucket)
    compute_gradients(weights, workspace, n, target, 0)
    situation = (bias, workspace, n, bucket, target)
    for place in np.ndindex(weights.hidden.shape):
        expected = slope_by_differences(weights, "hidden", place, *situation)
        assert workspace.hidden_gradient[place] == pytest.approx(expected, abs=2e-3)


def test_sampling_of_small_gradients_keeps_their_mean() -> None:
    """Over many seeds the gradients are the exact ones, although many are below the threshold."""
    n, bucket, target, n_draws = N_ITEMS, 2, 7, 4_000
    weights, bias = random_weights(1), random_bias(1)
    workspace = random_workspace(1, n)
    workspace.feature[:] *= 4.0
    scores, _ = slow_scores(weights, bias, workspace, n, bucket)
    gradient = np.exp(scores) / np.exp(scores).sum() - np.eye(n)[target]
    assert (np.abs(gradient) < SMALL_GRADIENT).mean() > 0.4
    mean_step, mean_linear, counts = np.zeros(N_ITEMS), np.zeros(N_FEATURES), []
    for draw in range(n_draws):
        score_candidates(weights, bias, workspace, n, bucket)
        compute_gradients(weights, workspace, n, target, draw)
        n_stepped = workspace.n_stepped[0]
        counts.append(n_stepped)
        mean_step[workspace.stepped[:n_stepped]] += workspace.step[:n_stepped] / n_draws
        mean_linear += workspace.linear_gradient[0] / n_draws
    spread = SMALL_GRADIENT / np.sqrt(n_draws)
    assert mean_step[workspace.candidate[:n]] == pytest.approx(gradient, abs=4 * spread)
    expected = workspace.feature[:, :n] @ gradient
    assert mean_linear == pytest.approx(expected, abs=4 * spread * np.sqrt(n))
    assert np.mean(counts) < 0.9 * n
