"""Logarithm and exponential against numpy's in double precision."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.elementary import exp, ln
from tests.kernels.compiled import callable_from_python

LEAST, LARGEST = float(np.float32(2.0**-126)), float(np.float32(3e38))
logarithm, exponential = callable_from_python(ln), callable_from_python(exp)
numbers = st.floats(LEAST, LARGEST, width=32) | st.floats(0.5, 2.0, width=32)


@given(numbers)
def test_logarithm_is_within_its_error(x: float) -> None:
    exact = np.log(x)
    assert abs(float(logarithm(np.float32(x))) - exact) <= 2e-7 * max(1.0, abs(exact))


@given(st.floats(-87.0, 87.0, width=32))
def test_exponential_is_within_its_error(x: float) -> None:
    assert abs(float(exponential(np.float32(x))) / np.exp(x) - 1.0) <= 3e-7


@given(st.floats(-(2.0**100), -87.0, width=32))
def test_exponential_of_very_little_is_next_to_nothing(x: float) -> None:
    assert 0.0 < exponential(np.float32(x)) < 1.7e-38


def test_logarithm_of_one_and_exponential_of_zero_are_exact() -> None:
    assert (logarithm(np.float32(1.0)), exponential(np.float32(0.0))) == (0.0, 1.0)
