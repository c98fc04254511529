"""Candidates against the union of the sources' tops, each found by sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.candidates import (
    candidates_max,
    collect_candidates,
    fill_up,
    position_of,
    propose_history,
)
from stream_rec.kernels.sources import accumulate_sources, predict_touched, scan_limits
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    EXCLUDED,
    NEAR_INVERSE,
    PREDICTED,
    WIDE_ROOT,
    Workspace,
    next_stamp,
)
from tests.kernels.views import (
    HALF_LIVES_S,
    LINKS_MAX,
    N_FACTORS,
    N_ITEMS,
    history_of,
    known_view,
    workspace_for,
)

DAMPING_POWERS = {NEAR_INVERSE: 1, AFTER_INVERSE: 0, WIDE_ROOT: 2, PREDICTED: 0}
N_LISTS = len(HALF_LIVES_S) + 2
seeds = st.integers(0, 9)
numbers = st.integers(1, 6)
item_sets = st.sets(st.integers(0, N_ITEMS - 1))


def prepared(seed: int, n_history: int, excluded: set[int]) -> tuple[ItemView, Workspace, int, int]:
    """Return a view, a workspace in the middle of a ranking, n_touched and the stamp."""
    view = known_view(seed)
    workspace = workspace_for(view)
    stamp = next_stamp(workspace)
    workspace.marks[list(excluded), EXCLUDED] = stamp
    history = history_of(seed, n_history)
    limits = scan_limits(30, LINKS_MAX)
    n_touched = accumulate_sources(view, workspace, history, n_history, n_history, limits)
    workspace.user_factor[:] = np.random.default_rng(seed).normal(0, 1, N_FACTORS)
    predict_touched(view, workspace, n_touched)
    return view, workspace, n_touched, stamp


def source_top(
    view: ItemView, workspace: Workspace, source: int, n_touched: int, excluded: set[int], n: int
) -> set[int]:
    items = workspace.touched[:n_touched]
    values = workspace.source[items, source]
    damped = values * view.damping[items] ** DAMPING_POWERS[source]
    order = items[[z for z in np.argsort(-damped, kind="stable") if values[z] > 0]]
    is_known = np.isfinite(view.top.keys[:, N_LISTS - 1])
    kept = [item for item in order.tolist() if is_known[item] and item not in excluded]
    return set(kept[:n])


def list_top(view: ItemView, which: int, excluded: set[int], n: int) -> set[int]:
    keys = view.top.keys[:, which]
    listed = [item for item in view.top.items[which].tolist() if item >= 0]
    assert keys[listed].tolist() == sorted(keys[np.isfinite(keys)], reverse=True)
    return set([item for item in listed if item not in excluded][:n])


@given(seeds, st.integers(0, 12), item_sets, numbers, st.integers(0, 6))
def test_candidates_are_the_union_of_all_tops(
    seed: int, n_history: int, excluded: set[int], per_source: int, n_newest: int
) -> None:
    view, workspace, n_touched, stamp = prepared(seed, n_history, excluded)
    n = collect_candidates(view, workspace, n_touched, per_source, n_newest, stamp, 0)
    expected = list_top(view, N_LISTS - 1, excluded, n_newest)
    for source in DAMPING_POWERS:
        expected |= source_top(view, workspace, source, n_touched, excluded, per_source)
    for which in range(N_LISTS - 1):
        expected |= list_top(view, which, excluded, per_source)
    candidates = workspace.candidate[:n].tolist()
    assert len(set(candidates)) == len(candidates) <= len(workspace.candidate)
    assert set(candidates) == expected
    assert not set(candidates) & excluded


@given(seeds, st.integers(0, N_ITEMS), item_sets)
def test_history_leads_the_candidates_newest_first_and_once(
    seed: int, n_history: int, excluded: set[int]
) -> None:
    view, workspace, n_touched, stamp = prepared(seed, n_history, excluded)
    history = history_of(seed, n_history)
    n_first = propose_history(view, workspace, history, n_history, stamp)
    is_known = np.isfinite(view.top.keys[:, N_LISTS - 1])
    expected = [item for item in history.tolist() if is_known[item] and item not in excluded]
    assert workspace.candidate[:n_first].tolist() == expected
    n = collect_candidates(view, workspace, n_touched, 4, 4, stamp, n_first)
    both = workspace.candidate[:n].tolist()
    assert both[:n_first] == expected
    assert len(set(both)) == len(both)
    others, other, n_touched, stamp = prepared(seed, n_history, excluded)
    n_others = collect_candidates(others, other, n_touched, 4, 4, stamp, 0)
    assert set(both) == set(expected) | set(other.candidate[:n_others].tolist())


@given(seeds, item_sets, st.integers(1, 20))
def test_filling_up_adds_the_most_popular_unseen_then_seen_until_the_list_is_full(
    seed: int, excluded: set[int], n_wanted: int
) -> None:
    view, workspace, n_touched, stamp = prepared(seed, 3, excluded)
    n_unseen = collect_candidates(view, workspace, n_touched, 3, 3, stamp, 0)
    proposed = workspace.candidate[:n_unseen].tolist()
    n = fill_up(view, workspace, n_wanted, stamp, n_unseen)
    popular = [i for i in view.top.items[N_LISTS - 2].tolist() if i >= 0 and i not in proposed]
    popular.sort(key=lambda item: item in excluded)
    assert workspace.candidate[n_unseen:n].tolist() == popular[: max(0, n_wanted - n_unseen)]


@given(seeds, st.integers(0, N_ITEMS - 1))
def test_position_is_that_of_the_item(seed: int, item: int) -> None:
    view, workspace, n_touched, stamp = prepared(seed, 3, set())
    n = collect_candidates(view, workspace, n_touched, 2, 2, stamp, 0)
    candidates = workspace.candidate[:n].tolist()
    expected = candidates.index(item) if item in candidates else -1
    assert position_of(workspace, item, n) == expected


def test_candidates_of_an_earlier_ranking_are_forgotten() -> None:
    view, workspace, n_touched, stamp = prepared(1, 5, set())
    first = collect_candidates(view, workspace, n_touched, 6, 6, stamp, 0)
    workspace.candidate[:] = -1
    stamp = next_stamp(workspace)
    again = collect_candidates(view, workspace, 0, 6, 6, stamp, 0)
    assert 0 < again < first
    assert np.all(workspace.candidate[:again] >= 0)


@pytest.mark.parametrize(("per_source", "n_newest"), [(1, 0), (6, 6)])
def test_bound_holds_when_every_top_is_full_and_disjoint(per_source: int, n_newest: int) -> None:
    """Three link sources, prediction, popularities, all-time, newest, seen items, the history."""
    assert candidates_max(N_LISTS, per_source, n_newest, 10, 30) == (
        4 * per_source + (len(HALF_LIVES_S) + 1) * per_source + n_newest + 10 + 30
    )
