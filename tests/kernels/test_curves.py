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
    add_curve_gradient,
    add_curves,
)
from tests.kernels.rankers import slow_curves

N_FEATURES = 3
features = st.lists(
    st.floats(2 * LOWEST, 2 * HIGHEST, width=32), min_size=N_FEATURES, max_size=N_FEATURES
)


def random_curves(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(N_FEATURES, N_KNOTS)).astype(np.float32)


@given(features, st.integers(0, 100))
def test_curves_interpolate_between_knots(x: list[float], seed: int) -> None:
    curve, feature = random_curves(seed), np.array(x, np.float32)
    expected = slow_curves(curve.astype(float), feature[None, :].astype(float))[0]
    assert add_curves(curve, feature) == pytest.approx(expected, abs=1e-4)


@given(features, st.floats(-1.0, 1.0, width=32))
def test_gradient_is_that_of_a_sum_that_is_linear_in_the_values(
    x: list[float], gradient: float
) -> None:
    curve, feature = random_curves(1), np.array(x, np.float32)
    found = np.zeros_like(curve)
    add_curve_gradient(found, feature, np.float32(gradient))
    assert float((found * curve).sum()) == pytest.approx(
        gradient * add_curves(curve, feature), abs=1e-4
    )
    assert found.sum() == pytest.approx(N_FEATURES * gradient, abs=1e-5)
