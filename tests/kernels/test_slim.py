"""Sparse linear models against non-negative least squares over who took what, solved by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from stream_rec.kernels.item_rows import WEIGHT_UNIT, ItemRows, empty_item_rows
from stream_rec.kernels.links import add_link
from stream_rec.kernels.slim import (
    REG,
    SlimRows,
    empty_slim_rows,
    solve_next,
    solve_slim,
    write_slim,
)
from stream_rec.kernels.workspace import N_REGRESSORS, Workspace, empty_workspace

LINKS_MAX = 128
seeds = st.integers(0, 10_000)


def made_up_takes(seed: int, n_users: int = 400, n_items: int = 12) -> np.ndarray:
    """Return who took what, users by items: three tastes, each of some items, and noise."""
    random = np.random.default_rng(seed)
    taste = random.random((n_users, 3)) < 0.4
    likes = random.random((3, n_items)) * (random.random((3, n_items)) < 0.5)
    return random.random((n_users, n_items)) < np.minimum(0.05 + taste @ likes, 0.9)


def rows_of(takes: np.ndarray) -> ItemRows:
    """Return rows as they are after all users took what they took."""
    n_items = takes.shape[1]
    rows = empty_item_rows(n_items, 1, 0, 4_096, LINKS_MAX)
    both = takes.T.astype(int) @ takes.astype(int)
    rows.evidence[:, 0] = np.diag(both)
    for item, neighbour in zip(*np.nonzero(both), strict=True):
        if item != neighbour:
            count = int(both[item, neighbour]) * WEIGHT_UNIT
            add_link(rows.links, item, neighbour, 0, count, 0, LINKS_MAX, np.uint64(1))
    return rows


def workspace_for(n_items: int) -> Workspace:
    return empty_workspace(n_items, LINKS_MAX, n_items, 1, 1, 1, 1)


def solved(rows: ItemRows) -> SlimRows:
    n_items = len(rows.taken)
    slim = empty_slim_rows(n_items)
    solve_slim(rows, slim, np.arange(n_items), True, workspace_for(n_items))
    return slim


def least_squares(takes: np.ndarray, item: int) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix and target of |x_i − Σ w x_j|² + λ |w|², with λ in further rows."""
    others = takes.astype(float)
    others[:, item] = 0.0
    n_items = takes.shape[1]
    matrix = np.vstack([others, np.sqrt(REG) * np.eye(n_items)])
    return matrix, np.concatenate([takes[:, item].astype(float), np.zeros(n_items)])


def dense(slim: SlimRows, item: int) -> np.ndarray:
    weights = np.zeros(len(slim.due))
    np.add.at(weights, slim.neighbour[item], slim.weight[item])
    return weights


@given(seeds)
def test_weights_are_those_of_regularised_least_squares(seed: int) -> None:
    takes = made_up_takes(seed)
    slim = solved(rows_of(takes))
    for item in range(takes.shape[1]):
        matrix, target = least_squares(takes, item)
        _, least = nnls(matrix, target)
        error = np.linalg.norm(matrix @ dense(slim, item) - target)
        explained = target @ target - least**2
        assert error**2 - least**2 <= 0.03 * explained + 1e-3 * least**2


def test_what_another_neighbour_says_as_well_counts_once() -> None:
    random = np.random.default_rng(0)
    taste = random.random(2_000) < 0.5
    twins = np.column_stack([taste, taste, random.random(2_000) < np.where(taste, 0.8, 0.1)])
    alone = solved(rows_of(twins[:, 1:]))
    both = solved(rows_of(twins))
    assert dense(both, 2).sum() == pytest.approx(dense(alone, 1).sum(), rel=0.05)


def test_solved_anew_only_when_a_tenth_more_have_taken_it() -> None:
    takes = made_up_takes(3)
    rows, slim, items = rows_of(takes), solved(rows_of(takes)), np.arange(12)
    before, n_takers = slim.weight.copy(), rows.evidence[:, 0].copy()
    rows.evidence[:, 0] = 1.05 * n_takers
    solve_slim(rows, slim, items, False, workspace_for(12))
    assert np.array_equal(slim.weight, before)
    rows.evidence[:, 0] = 1.15 * n_takers
    solve_slim(rows, slim, items, False, workspace_for(12))
    assert not np.isclose(slim.weight, before).all(axis=1).any()


def test_an_item_that_lost_its_takers_starts_anew() -> None:
    slim, nobody = solved(rows_of(made_up_takes(3))), rows_of(np.zeros((1, 12), bool))
    solve_slim(nobody, slim, np.arange(12), True, workspace_for(12))
    assert not slim.weight.any()
    assert np.array_equal(slim.due, empty_slim_rows(12).due)


def test_no_weight_runs_away_where_an_item_is_always_taken_first() -> None:
    takes = made_up_takes(3)
    takes[:, 0] = True
    rows = rows_of(takes)
    rows.evidence[0, 0] = 0.0
    assert solved(rows).weight.max() < 1.0


def test_every_item_gets_its_turn() -> None:
    takes, workspace = made_up_takes(3), workspace_for(12)
    rows, slim = rows_of(takes), empty_slim_rows(12)
    solve_next(rows, slim, 7, workspace)
    assert not slim.weight[7:].any()
    solve_next(rows, slim, 6, workspace)
    assert np.array_equal(slim.weight, solved(rows).weight)
    assert slim.turn[0] == 1


def test_a_full_row_has_the_strongest_neighbours() -> None:
    n_items = N_REGRESSORS + 20
    takes = np.random.default_rng(5).random((600, n_items)) < np.linspace(0.5, 0.02, n_items)
    rows = rows_of(takes)
    slim, both = solved(rows), takes.T.astype(int) @ takes.astype(int)
    item = n_items - 1
    strongest = np.sort(both[item, :item])[-N_REGRESSORS:]
    assert sorted(both[item, slim.neighbour[item]]) == strongest.tolist()


def test_nothing_is_left_of_a_solution_for_the_next_one() -> None:
    takes = made_up_takes(7)
    rows, workspace, items = rows_of(takes), workspace_for(12), np.arange(12)
    slim = empty_slim_rows(12)
    solve_slim(rows, slim, items[::-1], True, workspace)
    assert not workspace.slim_place.any()
    assert np.array_equal(slim.weight, solved(rows).weight)


@given(seeds)
def test_score_is_the_sum_over_what_the_user_took(seed: int) -> None:
    random = np.random.default_rng(seed)
    slim, workspace = solved(rows_of(made_up_takes(seed))), workspace_for(12)
    had = random.random(12) < 0.5
    workspace.stamp[0] = 9
    workspace.had[:] = np.where(had, 9, 8)
    workspace.candidate[:12] = random.permutation(12)
    out = np.full(12, np.nan, np.float32)
    write_slim(slim, workspace, 12, out)
    expected = [dense(slim, item) @ had for item in workspace.candidate[:12]]
    assert out == pytest.approx(expected, abs=1e-5)
