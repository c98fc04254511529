"""Curves against numpy's interpolation, and their gradient against what it is the gradient of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.curves import (
    HIGHEST,
    LOWEST,
    N_KNOTS,
    N_SEGMENTS,
    add_curve,
    add_curve_gradient,
    write_segments,
)
from tests.kernels.rankers import slow_curves

N_FEATURES = 3
features = st.lists(
    st.floats(2 * LOWEST, 2 * HIGHEST, width=32), min_size=N_FEATURES, max_size=N_FEATURES
)


def random_curves(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(N_FEATURES, N_KNOTS)).astype(np.float32)


def sum_of_curves(common: np.ndarray, own: np.ndarray, x: list[float]) -> float:
    """Return what the sums of two sets of curves add to one candidate."""
    segment, total = np.zeros((N_FEATURES, 2 * N_SEGMENTS), np.float32), np.zeros(1, np.float32)
    write_segments(common, own, segment)
    for line, value in zip(segment, x, strict=True):
        add_curve(line, np.array([value], np.float32), 1, total)
    return float(total[0])


@given(features, st.integers(0, 100))
def test_curves_interpolate_between_knots(x: list[float], seed: int) -> None:
    common, own = random_curves(seed), random_curves(seed + 1)
    expected = slow_curves(common.astype(float) + own, np.array([x], float))[0]
    assert sum_of_curves(common, own, x) == pytest.approx(expected, abs=1e-4)


@given(features, st.floats(-1.0, 1.0, width=32))
def test_gradient_is_that_of_a_sum_that_is_linear_in_the_values(
    x: list[float], gradient: float
) -> None:
    curve, feature = random_curves(1), np.array(x, np.float32)[:, None]
    found = np.zeros_like(curve)
    add_curve_gradient(found, feature, 0, np.float32(gradient))
    value = sum_of_curves(curve, np.zeros_like(curve), x)
    assert float((found * curve).sum()) == pytest.approx(gradient * value, abs=1e-4)
    assert found.sum() == pytest.approx(N_FEATURES * gradient, abs=1e-5)
