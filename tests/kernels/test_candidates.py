"""Candidates against sums of shares, the order of ids and turns of lists, taken the slow way."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.candidates import (
    N_BESIDE,
    candidate_places,
    collect_candidates,
    fill_up,
    position_of,
    propose_history,
)
from stream_rec.kernels.id_order import find_beside
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.sources import accumulate_sources, predict_touched, scan_limits
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    BESIDE_STEPS,
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
    beside_slowly,
    history_of,
    known_view,
    workspace_for,
)

DAMPING_POWERS = {NEAR_INVERSE: 1, AFTER_INVERSE: 0, WIDE_ROOT: 2}
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
    find_beside(view, workspace, history, n_history)
    return view, workspace, n_touched, stamp


def linked(
    view: ItemView, workspace: Workspace, n_touched: int, excluded: set[int], n: int
) -> tuple[set[int], set[int]]:
    """Return the items with the n largest sums of shares: surely, and perhaps (rounding)."""
    items = workspace.touched[:n_touched]
    is_known = np.isfinite(view.top.keys[items, N_LISTS - 1])
    may_be = is_known & ~np.isin(items, list(excluded))
    count = view.rows.taken[items] / WEIGHT_UNIT
    source = np.where(may_be[:, None], workspace.source[items].astype(np.float64), 0.0)
    damping = np.maximum(count, 1.0) ** -0.25
    values = [source[:, s] * damping**power for s, power in DAMPING_POWERS.items()]
    values.append(np.maximum(source[:, PREDICTED], 0.0) ** 2)
    key = sum((v / v.sum() for v in values if v.sum() > 0.0), np.zeros(len(items)))
    bound = np.sort(key[key > 0.0])[::-1][:n].min(initial=np.inf)
    surely, perhaps = key > bound * (1 + 1e-5), key >= bound * (1 - 1e-5)
    return set(items[surely].tolist()), set(items[perhaps].tolist())


def in_turn(view: ItemView, excluded: set[int]) -> list[int]:
    """Return the items of the sorted lists, the first of each, then the second of each, …"""
    for keys, items in zip(view.top.keys.T, view.top.items, strict=True):
        assert keys[items[items >= 0]].tolist() == sorted(keys[np.isfinite(keys)], reverse=True)
    turns = view.top.items.T.reshape(-1).tolist()
    return [item for item in turns if item >= 0 and item not in excluded]


def beside(view: ItemView, seed: int, n_history: int) -> list[int]:
    """Return what stands near the last item in the order of ids, in turn from both sides."""
    if n_history == 0:
        return []
    sides = beside_slowly(view, seed, int(history_of(seed, n_history)[0]))
    before, behind = (side[:BESIDE_STEPS] + [-1] * BESIDE_STEPS for side in sides)
    turns = [item for pair in zip(before, behind, strict=False) for item in pair]
    return [item for item in turns if item >= 0]


@given(seeds, st.integers(0, 12), item_sets, numbers, st.integers(1, 30))
def test_candidates_are_the_largest_shares_then_neighbours_by_id_then_lists_in_turn(
    seed: int, n_history: int, excluded: set[int], n_linked: int, n_wanted: int
) -> None:
    view, workspace, n_touched, stamp = prepared(seed, n_history, excluded)
    surely, perhaps = linked(view, workspace, n_touched, excluded, min(n_linked, n_wanted))
    n = collect_candidates(view, workspace, n_touched, n_linked, n_wanted, stamp, 0)
    candidates = workspace.candidate[:n].tolist()
    assert len(set(candidates)) == n <= n_wanted
    assert not set(candidates) & excluded
    n_first = min(n_linked, n_wanted, len(perhaps))
    assert surely <= set(candidates[:n_first]) <= perhaps
    near = [item for item in beside(view, seed, n_history) if item not in excluded]
    near = [item for item in near if item not in candidates[:n_first]][:N_BESIDE]
    n_near = n_first + min(len(near), n_wanted - n_first)
    assert candidates[n_first:n_near] == near[: n_near - n_first]
    rest = [item for item in dict.fromkeys(in_turn(view, excluded)) if item in candidates[n_near:]]
    assert candidates[n_near:] == rest
    left_out = set(in_turn(view, excluded)) - set(candidates)
    assert n == n_wanted or not left_out


def test_sources_of_any_size_count_alike() -> None:
    """An item that one source alone proposes is not drowned by sources of larger numbers."""
    view, workspace, n_touched, stamp = prepared(3, 6, set())
    items = workspace.touched[:n_touched]
    is_known = np.isfinite(view.top.keys[items, N_LISTS - 1])
    only = int(items[is_known][0])
    workspace.source[items, AFTER_INVERSE] = 0.0
    workspace.source[only, AFTER_INVERSE] = 1e-6
    workspace.source[only, [NEAR_INVERSE, PREDICTED]] = 0.0
    assert collect_candidates(view, workspace, n_touched, 1, 1, stamp, 0) == 1
    assert workspace.candidate[0] == only


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
    n = collect_candidates(view, workspace, n_touched, 4, N_ITEMS, stamp, n_first)
    both = workspace.candidate[:n].tolist()
    assert both[:n_first] == expected
    assert len(set(both)) == len(both)
    others, other, n_touched, stamp = prepared(seed, n_history, excluded)
    n_others = collect_candidates(others, other, n_touched, 4, N_ITEMS, stamp, 0)
    assert set(both) == set(expected) | set(other.candidate[:n_others].tolist())


@given(seeds, st.integers(1, N_ITEMS))
def test_neighbours_by_id_follow_the_history_however_long_it_is(seed: int, n_history: int) -> None:
    view, workspace, _, stamp = prepared(seed, n_history, set())
    n_first = propose_history(view, workspace, history_of(seed, n_history), n_history, stamp)
    n = collect_candidates(view, workspace, 0, 1, 6, stamp, n_first)
    had, added = np.split(workspace.candidate[:n], [n_first])
    near = [item for item in beside(view, seed, n_history) if item not in had][:6]
    assert added[: len(near)].tolist() == near


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
    n = collect_candidates(view, workspace, n_touched, 2, 8, stamp, 0)
    candidates = workspace.candidate[:n].tolist()
    expected = candidates.index(item) if item in candidates else -1
    assert position_of(workspace, item, n) == expected


def test_candidates_of_an_earlier_ranking_are_forgotten() -> None:
    view, workspace, n_touched, stamp = prepared(1, 5, set())
    first = collect_candidates(view, workspace, n_touched, 20, 20, stamp, 0)
    workspace.candidate[:] = -1
    stamp = next_stamp(workspace)
    again = collect_candidates(view, workspace, 0, 20, 7, stamp, 0)
    assert 0 < again <= 7 < first
    assert np.all(workspace.candidate[:again] >= 0)


def test_there_is_room_for_the_history_and_for_what_fills_a_list_up() -> None:
    assert candidate_places(128, 10, 30) == 128 + 10 + 30
