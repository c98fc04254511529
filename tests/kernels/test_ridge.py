"""Ridge factors against dense normal equations solved by numpy, and the laws of their sums."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.kernels.initial_factors import init_factors
from stream_rec.kernels.ridge import (
    Crowd,
    add_item_evidence,
    empty_crowd,
    learn_crowd,
    replace_in_gram,
    solve_item_factor,
    solve_user_factor,
)

N_FACTORS = 6
MANY_SWEEPS = 400
RECENCY = 0.65
WINDOW_EVENTS = 50.0


def work_space(n_factors: int = N_FACTORS) -> np.ndarray:
    return np.full((n_factors + 2, n_factors), np.nan)


def crowd_of(user_factors: np.ndarray, window_events: float = WINDOW_EVENTS) -> Crowd:
    crowd = empty_crowd(user_factors.shape[1])
    for user_factor in user_factors:
        learn_crowd(crowd, user_factor, window_events)
    return crowd


def user_factor_of(
    history: list[int], item_factors: np.ndarray, crowd: Crowd, n_sweeps: int = MANY_SWEEPS
) -> np.ndarray:
    out = np.full(item_factors.shape[1], np.nan)
    solve_user_factor(
        np.array([*history, -1], np.int32),
        len(history),
        item_factors,
        item_factors.T @ item_factors,
        len(item_factors),
        crowd,
        RECENCY,
        20.0,
        2.0,
        n_sweeps,
        out,
        work_space(item_factors.shape[1]),
    )
    return out


def item_factor_of(
    evidence: np.ndarray, start: np.ndarray, crowd: Crowd, n_sweeps: int = MANY_SWEEPS
) -> np.ndarray:
    out = start.copy()
    solve_item_factor(evidence, start, crowd, 5.0, 0.3, n_sweeps, out, work_space())
    return out


def test_user_factor_solves_the_weighted_ridge() -> None:
    rng = np.random.default_rng(1)
    items, crowd = rng.normal(0, 1, (12, N_FACTORS)), crowd_of(rng.normal(0, 1, (30, N_FACTORS)))
    history = [4, 0, 9, 7]
    taken, weights = items[history], RECENCY ** np.arange(4)
    mean = crowd.total / crowd.weight
    matrix = taken.T @ (weights[:, None] * taken) + 20.0 / 12 * items.T @ items + 2.0 * np.eye(6)
    expected = np.linalg.solve(matrix, weights @ taken + 2.0 * mean)
    np.testing.assert_allclose(user_factor_of(history, items, crowd), expected, atol=1e-9)


def test_user_without_history_is_the_mean_user() -> None:
    rng = np.random.default_rng(2)
    items, crowd = rng.normal(0, 1, (5, N_FACTORS)), crowd_of(rng.normal(1, 1, (9, N_FACTORS)))
    np.testing.assert_allclose(user_factor_of([], items, crowd), crowd.total / crowd.weight)


def test_user_of_an_empty_world_is_the_origin() -> None:
    factor = user_factor_of([], np.zeros((0, N_FACTORS)), empty_crowd(N_FACTORS))
    np.testing.assert_array_equal(factor, np.zeros(N_FACTORS))


def test_item_factor_solves_the_ridge_against_the_crowd() -> None:
    rng = np.random.default_rng(3)
    users, start = rng.normal(0, 1, (40, N_FACTORS)), rng.normal(0, 0.1, N_FACTORS)
    crowd = crowd_of(users)
    evidence = np.array([7.0, *users[:7].sum(axis=0)])
    mean_gram = crowd.gram / crowd.weight
    expected = np.linalg.solve(
        (5.0 + 7.0) * mean_gram + 0.3 * np.eye(N_FACTORS), evidence[1:] + 0.3 * start
    )
    np.testing.assert_allclose(item_factor_of(evidence, start, crowd), expected, atol=1e-9)


def test_item_without_evidence_or_crowd_stays_at_its_start() -> None:
    start = np.arange(N_FACTORS) / 10.0
    factor = item_factor_of(np.zeros(N_FACTORS + 1), start, empty_crowd(N_FACTORS))
    np.testing.assert_allclose(factor, start, atol=1e-15)


@pytest.mark.parametrize("n_sweeps", [1, 2, 5])
def test_each_sweep_lowers_the_loss(n_sweeps: int) -> None:
    rng = np.random.default_rng(4)
    crowd = crowd_of(rng.normal(0, 1, (40, N_FACTORS)))
    evidence, start = rng.normal(0, 3, N_FACTORS + 1), rng.normal(0, 0.1, N_FACTORS)
    evidence[0] = 3.0
    matrix = 8.0 * crowd.gram / crowd.weight + 0.3 * np.eye(N_FACTORS)

    def loss(factor: np.ndarray) -> float:
        return factor @ matrix @ factor - 2 * factor @ (evidence[1:] + 0.3 * start)

    before = item_factor_of(evidence, start, crowd, n_sweeps - 1)
    assert loss(item_factor_of(evidence, start, crowd, n_sweeps)) < loss(before)


def test_evidence_of_partitions_adds_up_to_the_evidence_of_all() -> None:
    rng = np.random.default_rng(5)
    users = rng.integers(-8, 8, (20, N_FACTORS)).astype(np.float32)
    whole, parts = np.zeros(N_FACTORS + 1, np.float32), np.zeros((3, N_FACTORS + 1), np.float32)
    for index, user in enumerate(users):
        add_item_evidence(whole, user, 1.0, 1.0)
        add_item_evidence(parts[index % 3], user, 1.0, 1.0)
    np.testing.assert_array_equal(parts.sum(axis=0), whole)


def test_negative_weight_takes_evidence_out() -> None:
    evidence = np.zeros(N_FACTORS + 1)
    user = np.arange(N_FACTORS) / 8.0
    add_item_evidence(evidence, user, 2.0, 1.0)
    add_item_evidence(evidence, user, -2.0, 1.0)
    np.testing.assert_array_equal(evidence, np.zeros(N_FACTORS + 1))


def test_dislike_lowers_the_preference() -> None:
    rng = np.random.default_rng(6)
    user = rng.normal(0, 1, N_FACTORS)
    crowd = crowd_of(rng.normal(0, 1, (40, N_FACTORS)))
    evidence, start = np.zeros(N_FACTORS + 1), np.zeros(N_FACTORS)
    add_item_evidence(evidence, user, 3.0, 1.0)
    liked = user @ item_factor_of(evidence, start, crowd)
    add_item_evidence(evidence, user, 3.0, 0.0)
    assert 0 < user @ item_factor_of(evidence, start, crowd) < liked


def test_crowd_weighs_users_by_age() -> None:
    rng = np.random.default_rng(7)
    users = rng.normal(0, 1, (30, N_FACTORS))
    ages = (1 - 1 / WINDOW_EVENTS) ** np.arange(29, -1, -1)
    crowd = crowd_of(users)
    np.testing.assert_allclose(crowd.weight[0], ages.sum())
    np.testing.assert_allclose(crowd.total, ages @ users)
    np.testing.assert_allclose(crowd.gram, users.T @ (ages[:, None] * users))


def test_gram_equals_recomputation_after_replacements() -> None:
    rng = np.random.default_rng(8)
    items, gram = np.zeros((9, N_FACTORS), np.float32), np.zeros((N_FACTORS, N_FACTORS))
    for item in rng.integers(0, 9, 500):
        new = rng.normal(0, 1, N_FACTORS).astype(np.float32)
        replace_in_gram(gram, items[item], new)
        items[item] = new
    wide = items.astype(np.float64)
    np.testing.assert_allclose(gram, wide.T @ wide, atol=1e-10)


def test_two_tastes_are_told_apart() -> None:
    n_factors, n_items = 2, 20
    rng = np.random.default_rng(9)
    starts = np.empty((n_items, n_factors), np.float32)
    for item in range(n_items):
        init_factors(np.uint64(item), starts[item], 0.1)
    factors, evidence = starts.copy(), np.zeros((n_items, n_factors + 1), np.float32)
    gram, crowd = np.zeros((n_factors, n_factors)), empty_crowd(n_factors)
    work = work_space(n_factors)
    for factor in factors:
        replace_in_gram(gram, np.zeros_like(factor), factor)

    taste = np.arange(30) % 2
    histories = (rng.integers(0, 10, (30, 4)) + 10 * taste[:, None]).astype(np.int32)
    user_factor, solved = np.empty(n_factors, np.float32), np.empty(n_factors, np.float32)

    def solve_user(user: int) -> None:
        solve_user_factor(
            histories[user], 4, factors, gram, n_items, crowd,
            RECENCY, 20.0, 1.0, 2, user_factor, work,
        )  # fmt: skip

    for user in rng.integers(0, 30, 3000):
        item = rng.integers(0, 10) + 10 * taste[user]
        solve_user(user)
        learn_crowd(crowd, user_factor, 500.0)
        add_item_evidence(evidence[item], user_factor, 1.0, 1.0)
        solved[:] = factors[item]
        solve_item_factor(evidence[item], starts[item], crowd, 5.0, 0.1, 2, solved, work)
        replace_in_gram(gram, factors[item], solved)
        factors[item] = solved
        histories[user] = [item, *histories[user][:3]]

    for user in range(30):
        solve_user(user)
        preference = (factors @ user_factor).reshape(2, 10)
        assert preference[taste[user]].min() > preference[1 - taste[user]].max()
