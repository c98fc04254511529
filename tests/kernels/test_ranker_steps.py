"""The ranker's steps against Adagrad and Newton's method written with numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.newton import WINDOW_EVENTS, newton_step
from stream_rec.kernels.ranker import (
    compute_gradients,
    rank_of,
    score_candidates,
    start_weights,
)
from stream_rec.kernels.ranker_steps import (
    BIAS_SHRINKAGE,
    CURVE_RATE,
    bias_step,
    forget_sums,
    step_weights,
)
from stream_rec.kernels.workspace import N_BUCKETS
from tests.kernels.rankers import N_FEATURES, N_ITEMS, random_bias, random_weights, random_workspace

RATE = 0.1
seeds = st.integers(0, 2**32 - 1)
buckets = st.integers(0, N_BUCKETS - 1)


def slow_adagrad(
    weight: np.ndarray, squares: np.ndarray, gradient: np.ndarray, rate: float
) -> tuple:
    squares = squares + gradient**2
    return weight - rate * gradient / np.sqrt(squares), squares


def slow_newton(
    weight: np.ndarray, curvature: np.ndarray, faded: np.ndarray, gradient: np.ndarray, rate: float
) -> tuple:
    g = gradient.ravel().astype(float)
    upper = curvature - faded / WINDOW_EVENTS + np.triu(np.outer(g, g))
    whole = upper + np.triu(upper, 1).T + np.eye(len(g)) / rate
    return weight - np.linalg.solve(whole, g).reshape(weight.shape), upper


@given(seeds, buckets)
def test_step_is_newtons_in_the_common_weights_and_adagrads_elsewhere(
    seed: int, bucket: int
) -> None:
    before, weights = random_weights(seed), random_weights(seed)
    workspace = random_workspace(seed, 8)
    score_candidates(weights, random_bias(seed), workspace, 8, bucket)
    compute_gradients(weights, workspace, 8, 3, seed)
    step_weights(weights, weights, workspace, bucket, RATE, False)
    expected = {name: array.copy() for name, array in before._asdict().items()}
    places = [
        ("linear", 1 + bucket, workspace.linear_gradient),
        ("curve", 0, workspace.curve_gradient),
        ("curve", 1 + bucket, workspace.curve_gradient),
        ("hidden", ..., workspace.hidden_gradient),
        ("output", ..., workspace.output_gradient),
    ]
    for name, place, gradient in places:
        weight, squares = slow_adagrad(
            before._asdict()[name][place],
            before._asdict()[f"{name}_squares"][place],
            gradient,
            CURVE_RATE * RATE if name == "curve" else RATE,
        )
        expected[name][place], expected[f"{name}_squares"][place] = weight, squares
    expected["linear"][0], expected["curvature"] = slow_newton(
        before.linear[0], before.curvature, before.curvature, workspace.linear_gradient, RATE
    )
    for name, array in weights._asdict().items():
        assert array == pytest.approx(expected[name], abs=1e-6), name


@given(seeds, buckets)
def test_separate_copies_get_the_same_increments(seed: int, bucket: int) -> None:
    view, own = random_weights(seed), random_weights(seed + 1)
    view_before, own_before = random_weights(seed), random_weights(seed + 1)
    workspace = random_workspace(seed, 8)
    score_candidates(view, random_bias(seed), workspace, 8, bucket)
    compute_gradients(view, workspace, 8, 0, seed)
    step_weights(view, own, workspace, bucket, RATE, True)
    changed = 0
    for after, before, own_after, start in zip(view, view_before, own, own_before, strict=True):
        assert own_after - start == pytest.approx(after - before, abs=1e-6)
        changed += np.count_nonzero(after - before)
    assert changed > 0


@pytest.mark.parametrize("separate", [False, True])
@given(seed=seeds, keep=st.floats(0, 1))
def test_of_the_partitions_sums_of_squares_a_part_is_kept(
    separate: bool, seed: int, keep: float
) -> None:
    view, view_before = random_weights(seed), random_weights(seed)
    own = random_weights(seed + 1) if separate else view
    own_before = random_weights(seed + 1) if separate else view_before
    forget_sums(view, own, keep, separate)
    for name, before in own_before._asdict().items():
        kept = before
        if name == "curvature":
            kept = keep**0.5 * before
        elif name.endswith("squares"):
            kept = 1.0 + keep * (before - 1.0)
        assert getattr(own, name) == pytest.approx(kept, abs=1e-6), name
        expected = getattr(view_before, name) - (before - kept)
        if name.endswith("squares"):
            expected = np.maximum(expected, kept)
        assert getattr(view, name) == pytest.approx(expected, abs=1e-6), name


@given(seeds, buckets)
def test_separate_step_is_newtons_by_the_views_curvature(seed: int, bucket: int) -> None:
    view, own, before = random_weights(seed), random_weights(seed + 1), random_weights(seed)
    workspace = random_workspace(seed, 8)
    score_candidates(view, random_bias(seed), workspace, 8, bucket)
    compute_gradients(view, workspace, 8, 3, seed)
    faded = own.curvature.copy()
    step_weights(view, own, workspace, bucket, RATE, True)
    weight, upper = slow_newton(
        before.linear[0], before.curvature, faded, workspace.linear_gradient, RATE
    )
    assert view.curvature == pytest.approx(upper, abs=1e-9)
    assert view.linear[0] == pytest.approx(weight, abs=1e-6)


def test_curvature_of_the_view_stays_the_sum_over_millions_of_alike_gradients() -> None:
    """A view of 8 partitions that hold as much as they ever will, all features nearly the same."""
    random = np.random.default_rng(0)
    view, owns = start_weights(N_FEATURES, 0), [start_weights(N_FEATURES, 0) for _ in range(8)]
    n = len(view.curvature)
    for own in owns:
        common = random.normal(0, 1, (500, 1)) + random.normal(0, 1e-3, (500, n))
        own.curvature[:] = np.triu(common.T @ common) * WINDOW_EVENTS / 500
    view.curvature[:] = sum(own.curvature for own in owns)
    weight, work = view.linear[0].reshape(-1), random_workspace(0, 1).newton_work
    for event in range(20_000):
        own = owns[event % 8]
        gradient = (random.normal() + random.normal(0, 1e-3, n)).astype(np.float32)
        newton_step(
            weight,
            view.curvature,
            own.linear[0].reshape(-1),
            own.curvature,
            gradient,
            RATE,
            True,
            work,
        )
        if event % 5_000 == 0:
            forget_sums(view, own, 0.25, True)
    total = sum(own.curvature for own in owns)
    assert view.curvature == pytest.approx(total, abs=1e-6 * total.max())
    assert np.linalg.eigvalsh(total + np.triu(total, 1).T).min() > -1e-3
    assert np.isfinite(weight).all()


def test_a_damaged_curvature_leaves_the_weights_alone() -> None:
    for damage in (-1e6, np.nan):
        weights, before = random_weights(3), random_weights(3)
        weights.curvature[2, 2] = damage
        workspace = random_workspace(3, 8)
        score_candidates(weights, random_bias(3), workspace, 8, 0)
        compute_gradients(weights, workspace, 8, 0, 1)
        step_weights(weights, weights, workspace, 0, RATE, False)
        assert np.array_equal(weights.linear[0], before.linear[0])


def test_sums_of_squares_of_the_view_stay_positive_where_they_have_saturated() -> None:
    view, owns = random_weights(1), [random_weights(seed) for seed in range(8)]
    for weights in (view, *owns):
        weights.output_squares[:] = 1e7
    for own in owns:
        forget_sums(view, own, 0.25, True)
    assert view.output_squares.min() >= 0.25e7


@given(st.floats(-2, 2), st.floats(0.1, 50), st.floats(-1, 1))
def test_bias_step_is_adagrads_with_a_pull_to_zero(
    bias: float, squares: float, gradient: float
) -> None:
    step = bias_step(bias, squares, gradient, RATE)
    pull = BIAS_SHRINKAGE * abs(gradient) * bias
    assert step == pytest.approx(-RATE * gradient / squares**0.5 - RATE * pull, abs=1e-12)


def test_newton_tells_apart_what_is_nearly_the_same() -> None:
    """Of two features that are all but equal, only the small difference says what is taken."""
    random = np.random.default_rng(0)
    weights = start_weights(N_FEATURES, 0)
    both, difference = random.normal(0, 1, (2, 200))
    workspace = random_workspace(0, 2)
    weight = weights.linear[0].reshape(-1)
    for common, apart in zip(both, difference, strict=True):
        workspace.linear_gradient[:] = 0.0
        x = np.array([common + 0.1 * apart, common - 0.1 * apart])
        probability = 1.0 / (1.0 + np.exp(-(weight[:2] @ x)))
        workspace.linear_gradient[0, :2] = (probability - (apart > 0.0)) * x
        newton_step(
            weight,
            weights.curvature,
            weight,
            weights.curvature,
            workspace.linear_gradient.reshape(-1),
            RATE,
            False,
            workspace.newton_work,
        )
    assert weight[0] - weight[1] > 1.0
    assert abs(weight[0] + weight[1]) < 0.5


def test_learning_brings_the_item_taken_to_the_front() -> None:
    weights, workspace = random_weights(9), random_workspace(9, 20)
    bias = np.zeros(N_ITEMS, np.float32)
    for draw in range(60):
        score_candidates(weights, bias, workspace, 20, 1)
        rank = rank_of(workspace, 11, 20)
        compute_gradients(weights, workspace, 20, 11, draw)
        step_weights(weights, weights, workspace, 1, RATE, False)
    assert rank == 0
