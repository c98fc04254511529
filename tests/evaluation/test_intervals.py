"""Laws of the bootstrap: it holds the mean, narrows with users, and is paired."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.evaluation.intervals import interval_text, mean_interval, ratio_interval


def users_with_taste(n_users: int, n_each: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return gains whose mean differs from user to user, and the users."""
    random = np.random.default_rng(2)
    chance = np.repeat(random.beta(2, 5, n_users), n_each)
    gains = (random.random(len(chance)) < chance).astype(np.float64)
    return gains, np.repeat(np.arange(n_users, dtype=np.int32), n_each)


def test_interval_holds_the_mean_and_narrows_with_more_users() -> None:
    widths = []
    for n_users in (50, 800):
        gains, user = users_with_taste(n_users)
        low, high = mean_interval(gains, user)
        assert low < gains.mean() < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.25)


def test_interval_is_that_of_theory() -> None:
    gains, user = users_with_taste(500)
    means = gains.reshape(500, -1).mean(axis=1)
    low, high = mean_interval(gains, user)
    assert high - low == pytest.approx(2 * 1.96 * means.std() / np.sqrt(500), rel=0.1)


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    user = np.repeat(np.arange(200, dtype=np.int32), 5)
    n_covered = 0
    for _ in range(60):
        gains = (random.random(len(user)) < 0.3).astype(np.float64)
        low, high = mean_interval(gains, user)
        n_covered += low <= 0.3 <= high
    assert n_covered >= 51


def test_ratio_of_a_model_to_itself_is_certain() -> None:
    gains, user = users_with_taste(100)
    assert ratio_interval(gains, gains, user) == pytest.approx((1.0, 1.0))
    better = np.maximum(gains, (user % 3 == 0).astype(np.float64))
    low, high = ratio_interval(better, gains, user)
    assert 1.0 < low < better.mean() / gains.mean() < high


def test_order_of_events_does_not_matter() -> None:
    gains, user = users_with_taste(60)
    order = np.random.default_rng(0).permutation(len(gains))
    assert mean_interval(gains[order], user[order]) == pytest.approx(mean_interval(gains, user))


def test_ratio_to_a_model_that_may_have_no_gain_has_no_upper_end() -> None:
    user = np.arange(20, dtype=np.int32)
    gains, other = (user < 12).astype(np.float64), (user < 1).astype(np.float64)
    low, high = ratio_interval(gains, other, user)
    assert 1.0 < low < 12.0
    assert high == np.inf
    assert interval_text((low, high), 1).endswith("–∞")


def test_one_user_has_no_interval() -> None:
    for n_users in (0, 1):
        user = np.zeros(9 * n_users, np.int32)
        gains = np.arange(len(user)) % 2.0
        assert mean_interval(gains, user) is ratio_interval(gains, gains, user) is None
    assert interval_text(None) == "–"
