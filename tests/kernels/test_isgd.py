"""ISGD against the algorithm of the paper written with numpy, one line a formula."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.kernels.isgd import learn_positive, predict_preference

LEARNING_RATE = 0.05
REG = 0.01


def learn_slowly(user_factor: np.ndarray, item_factor: np.ndarray) -> float:
    error = 1.0 - user_factor @ item_factor
    user_factor += LEARNING_RATE * (error * item_factor - REG * user_factor)
    item_factor += LEARNING_RATE * (error * user_factor - REG * item_factor)
    return error


@pytest.mark.parametrize("n_factors", [1, 3, 16])
def test_sequence_equals_oracle(n_factors: int) -> None:
    rng = np.random.default_rng(3)
    users, items = rng.normal(0, 0.1, (7, n_factors)), rng.normal(0, 0.1, (5, n_factors))
    oracle_users, oracle_items = users.copy(), items.copy()

    for user, item in rng.integers(0, [7, 5], (400, 2)):
        error = learn_positive(users[user], items[item], LEARNING_RATE, REG)
        assert error == pytest.approx(
            learn_slowly(oracle_users[user], oracle_items[item]), abs=1e-12
        )

    np.testing.assert_allclose(users, oracle_users, atol=1e-12)
    np.testing.assert_allclose(items, oracle_items, atol=1e-12)


def test_item_steps_along_the_new_user_factor() -> None:
    user_factor, item_factor = np.array([0.0]), np.array([1.0])
    learn_positive(user_factor, item_factor, 0.5, 0.0)
    assert (user_factor[0], item_factor[0]) == (0.5, 1.25)


def test_prediction_approaches_one() -> None:
    user_factor, item_factor = np.array([0.1, 0.0]), np.array([0.0, 0.1])
    errors = [learn_positive(user_factor, item_factor, 0.1, 0.0) for _ in range(300)]
    assert np.all(np.diff(np.abs(errors)) <= 0)
    assert predict_preference(user_factor, item_factor) == pytest.approx(1.0, abs=1e-3)


def test_float32_rows_stay_float32_and_close() -> None:
    user_factor, item_factor = np.float32([0.1, -0.2]), np.float32([0.3, 0.1])
    wide_user, wide_item = user_factor.astype(np.float64), item_factor.astype(np.float64)
    for _ in range(50):
        learn_positive(user_factor, item_factor, LEARNING_RATE, REG)
        learn_slowly(wide_user, wide_item)
    np.testing.assert_allclose(user_factor, wide_user, atol=1e-5)
    np.testing.assert_allclose(item_factor, wide_item, atol=1e-5)
