"""The largest values against numpy's stable sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.selection import DEPTH, padded, take_largest


def largest(values: np.ndarray, k: int) -> tuple[list[float], list[int]]:
    """Return values and places found among others that must not count."""
    n = len(values)
    key = np.full(padded(n) + 3, 99.0, np.float32)
    key[:n] = values
    maximum, column = np.full(len(key), 99.0, np.float32), np.full(len(key), 99, np.int32)
    value, at = np.zeros(k, np.float32), np.zeros(k, np.int32)
    n_found = take_largest(key, n, k, maximum, column, value, at)
    return value[:n_found].tolist(), at[:n_found].tolist()


@given(st.integers(0, 300), st.integers(1, 25), st.integers(1, 60), st.integers(0, 1000))
def test_largest_are_the_first_of_a_stable_sort(n: int, k: int, n_values: int, seed: int) -> None:
    """Few different values make many ties; half of them are not positive."""
    values = np.random.default_rng(seed).integers(-n_values, n_values, n).astype(np.float32)
    order = [z for z in np.argsort(-values, kind="stable").tolist() if values[z] > 0][:k]
    assert largest(values, k) == (values[order].tolist(), order)


def test_only_the_columns_of_the_largest_are_looked_through() -> None:
    values = np.arange(1.0, 801.0, dtype=np.float32)
    assert largest(values, 3) == ([800.0, 799.0, 798.0], [799, 798, 797])


def test_padding_is_to_whole_columns() -> None:
    assert [padded(n) for n in (0, 1, DEPTH, DEPTH + 1)] == [0, DEPTH, DEPTH, 2 * DEPTH]
