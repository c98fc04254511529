"""The largest values against numpy's stable sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.selection import take_largest

SMALLEST = np.finfo(np.float32).smallest_normal


def largest(values: np.ndarray, k: int) -> list[int]:
    """Return the places found among others that must not count."""
    n = len(values)
    key = np.full(n + 3, 99.0, np.float32)
    key[:n] = values
    at = np.full(k + 2, -7, np.int32)
    n_found = take_largest(key, n, k, at)
    assert at[k + 1] == -7, "written behind the end"
    return at[:n_found].tolist()


def expected(values: np.ndarray, k: int) -> list[int]:
    order = np.argsort(-values, kind="stable").tolist()
    return sorted([z for z in order if values[z] >= SMALLEST][:k])


@given(st.integers(0, 300), st.integers(1, 90), st.integers(1, 60), st.integers(0, 1000))
def test_largest_are_the_first_of_a_stable_sort(n: int, k: int, n_values: int, seed: int) -> None:
    """Few different values make many ties; half of them are not positive."""
    values = np.random.default_rng(seed).integers(-n_values, n_values, n).astype(np.float32)
    assert largest(values, k) == expected(values, k)


@given(
    st.lists(st.floats(0.0, width=32, allow_infinity=False), max_size=60).map(
        lambda values: np.array(values, np.float32)
    ),
    st.integers(1, 20),
)
def test_any_finite_values_are_told_apart_to_the_last_bit(values: np.ndarray, k: int) -> None:
    """Denormal numbers are none: some processors take them for 0. The largest is below infinity."""
    assert largest(values, k) == expected(values, k)
