"""Starting factors: a function of the id alone, bell-shaped, unrelated between ids."""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.initial_factors import init_factors


def start(id_hash: int, n_factors: int, scale: float = 1.0, dtype: type = np.float64) -> np.ndarray:
    out = np.full(n_factors, np.nan, dtype)
    init_factors(np.uint64(id_hash), out, scale)
    return out


def test_same_id_starts_at_the_same_point() -> None:
    np.testing.assert_array_equal(start(2**64 - 1, 16), start(2**64 - 1, 16))


def test_start_is_the_same_on_every_machine() -> None:
    np.testing.assert_array_equal(start(42, 2), [-0.7679473925993018, 0.2820766948140671])


def test_shorter_factor_is_a_prefix() -> None:
    np.testing.assert_array_equal(start(9, 8), start(9, 32)[:8])


def test_numbers_are_standard_and_uncorrelated() -> None:
    starts = np.array([start(id_hash, 8) for id_hash in range(5000)])
    assert abs(starts.mean()) < 0.02
    assert abs(starts.std() - 1) < 0.02
    assert abs(np.mean(starts**4) - 2.7) < 0.1
    correlation = np.corrcoef(starts.T) - np.eye(8)
    assert np.abs(correlation).max() < 0.06
    assert abs(np.mean(starts[1:] * starts[:-1])) < 0.02


def test_scale_multiplies() -> None:
    np.testing.assert_allclose(start(5, 6, 0.1), 0.1 * start(5, 6), rtol=1e-15)
    assert not start(5, 6, 0.0).any()
