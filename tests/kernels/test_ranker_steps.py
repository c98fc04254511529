"""The ranker's steps against Adagrad written with numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.ranker import compute_gradients, rank_of, score_candidates
from stream_rec.kernels.ranker_steps import (
    BIAS_SHRINKAGE,
    CURVE_RATE,
    bias_step,
    forget_squares,
    step_weights,
)
from stream_rec.kernels.workspace import N_BUCKETS
from tests.kernels.rankers import N_ITEMS, random_bias, random_weights, random_workspace

RATE = 0.1
seeds = st.integers(0, 2**32 - 1)
buckets = st.integers(0, N_BUCKETS - 1)


def slow_adagrad(
    weight: np.ndarray, squares: np.ndarray, gradient: np.ndarray, rate: float
) -> tuple:
    squares = squares + gradient**2
    return weight - rate * gradient / np.sqrt(squares), squares


@given(seeds, buckets)
def test_step_is_adagrads_in_the_common_row_and_the_bucket(seed: int, bucket: int) -> None:
    before, weights = random_weights(seed), random_weights(seed)
    workspace = random_workspace(seed, 8)
    score_candidates(weights, random_bias(seed), workspace, 8, bucket)
    compute_gradients(weights, workspace, 8, 3, seed)
    step_weights(weights, weights, workspace, bucket, RATE, False)
    expected = {name: array.copy() for name, array in before._asdict().items()}
    places = [
        ("linear", 0, workspace.linear_gradient),
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
    forget_squares(view, own, keep, separate)
    for name, before in own_before._asdict().items():
        kept = 1.0 + keep * (before - 1.0) if name.endswith("squares") else before
        assert getattr(own, name) == pytest.approx(kept, abs=1e-6), name
        expected = getattr(view_before, name) - (before - kept)
        if name.endswith("squares"):
            expected = np.maximum(expected, kept)
        assert getattr(view, name) == pytest.approx(expected, abs=1e-6), name


def test_sums_of_squares_of_the_view_stay_positive_where_they_have_saturated() -> None:
    view, owns = random_weights(1), [random_weights(seed) for seed in range(8)]
    for weights in (view, *owns):
        weights.output_squares[:] = 1e7
    for own in owns:
        forget_squares(view, own, 0.25, True)
    assert view.output_squares.min() >= 0.25e7


@given(st.floats(-2, 2), st.floats(0.1, 50), st.floats(-1, 1))
def test_bias_step_is_adagrads_with_a_pull_to_zero(
    bias: float, squares: float, gradient: float
) -> None:
    step = bias_step(bias, squares, gradient, RATE)
    pull = BIAS_SHRINKAGE * abs(gradient) * bias
    assert step == pytest.approx(-RATE * gradient / squares**0.5 - RATE * pull, abs=1e-12)


def test_learning_brings_the_item_taken_to_the_front() -> None:
    weights, workspace = random_weights(9), random_workspace(9, 20)
    bias = np.zeros(N_ITEMS, np.float32)
    for draw in range(60):
        score_candidates(weights, bias, workspace, 20, 1)
        rank = rank_of(workspace, 11, 20)
        compute_gradients(weights, workspace, 20, 11, draw)
        step_weights(weights, weights, workspace, 1, RATE, False)
    assert rank == 0
