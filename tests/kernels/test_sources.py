"""Link sources against their formulas over dictionaries, predictions against the dot product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.sources import (
    AFTER_UNIT,
    EARLIER_SESSION_SHARE,
    NEAR_DECAY,
    NEAR_WINDOW,
    WIDE_DECAY,
    accumulate_sources,
    predict_touched,
    scan_limits,
    strongest_place,
)
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    N_LINK_SOURCES,
    PREDICTED,
    STAMP_MAX,
    Workspace,
    next_stamp,
)
from tests.kernels.link_oracle import links_of
from tests.kernels.views import (
    LINKS_MAX,
    N_FACTORS,
    history_of,
    known_view,
    made_up_view,
    workspace_for,
)

seeds = st.integers(0, 9)


def slow_sources(
    view: ItemView, history: list[int], n_session: int, limits: list[int]
) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """Return the sources of each item reached, and its wide_root by place of the history."""
    sources: dict[int, list[float]] = {}
    shares: dict[int, list[float]] = {}
    for r, (j, limit) in enumerate(zip(history, limits, strict=False)):
        n = view.rows.taken[j] / WEIGHT_UNIT + 1
        for i, counts in list(links_of(view.rows.links, j).items())[:limit]:
            near, wide, after = (count / WEIGHT_UNIT for count in counts)
            after /= AFTER_UNIT
            s = (1 if r < n_session else EARLIER_SESSION_SHARE) if r < NEAR_WINDOW else 0
            added = [
                s * near / n / (r + 1),
                s * NEAR_DECAY**r * near / n**0.5,
                WIDE_DECAY**r * wide / n**0.5,
                s * after / n / (r + 1),
                after / n if r == 0 else 0,
            ]
            present = sources.get(i, [0] * N_LINK_SOURCES)
            sources[i] = [a + b for a, b in zip(present, added, strict=True)]
            shares.setdefault(i, [0.0] * len(history))[r] = added[2]
    return sources, shares


def fast_sources(workspace: Workspace, n_touched: int) -> dict[int, np.ndarray]:
    return {
        item: workspace.source[item, :N_LINK_SOURCES]
        for item in workspace.touched[:n_touched].tolist()
    }


@given(seeds, st.sampled_from([0, 1, 2, 9, 10, 11, 25]), st.integers(1, 25))
def test_sources_equal_their_formulas(seed: int, n_history: int, n_session: int) -> None:
    view = known_view(seed)
    workspace = workspace_for(view)
    history, limits = history_of(seed, n_history), scan_limits(30, LINKS_MAX)
    limits[3:] = 5
    n_session = min(n_session, n_history)
    n_touched = accumulate_sources(view, workspace, history, n_history, n_session, limits)
    expected, shares = slow_sources(view, history.tolist(), n_session, limits.tolist())
    values = fast_sources(workspace, n_touched)
    assert values.keys() == expected.keys()
    for item, sources in expected.items():
        assert values[item] == pytest.approx(sources, rel=1e-5)
        because = strongest_place(view, history, n_history, limits, item)
        assert shares[item][because] == pytest.approx(max(shares[item]), rel=1e-5)
    totals = np.sum(list(expected.values()), axis=0) if expected else np.zeros(N_LINK_SOURCES)
    assert workspace.source_total == pytest.approx(totals, rel=1e-5)


@given(seeds, st.integers(0, 25))
def test_every_touched_item_has_its_prediction(seed: int, n_history: int) -> None:
    view = known_view(seed)
    workspace = workspace_for(view)
    workspace.user_factor[:] = np.random.default_rng(seed).normal(0, 1, N_FACTORS)
    history, limits = history_of(seed, n_history), scan_limits(30, LINKS_MAX)
    n_touched = accumulate_sources(view, workspace, history, n_history, n_history, limits)
    predict_touched(view, workspace, n_touched)
    touched = workspace.touched[:n_touched]
    expected = view.factor[touched] @ workspace.user_factor
    assert workspace.source[touched, PREDICTED] == pytest.approx(expected, abs=1e-5)


def test_place_behind_a_value_is_named_however_long_the_history() -> None:
    view = made_up_view(0, n_links=0)
    view.rows.links.neighbour[0], view.rows.links.wide[0] = 3, 16
    view.rows.links.length[7] = 1
    workspace = workspace_for(view)
    history = np.full(300, 8, np.int32)
    history[299] = 7
    limits = scan_limits(300, LINKS_MAX)
    assert accumulate_sources(view, workspace, history, 300, 300, limits) == 1
    assert workspace.touched[0] == 3
    assert strongest_place(view, history, 300, limits, 3) == 299
    assert strongest_place(view, history, 300, limits, 4) == -1


def test_an_item_reached_from_ever_so_far_back_is_touched_once() -> None:
    """0.93^2000 is nothing in single precision."""
    view = made_up_view(0, n_links=0)
    for place in range(2):
        view.rows.links.neighbour[place], view.rows.links.wide[place] = 3, 16
    view.rows.links.length[7] = view.rows.links.length[9] = 1
    view.rows.links.start[9] = 1
    workspace = workspace_for(view)
    history = np.full(2_000, 8, np.int32)
    history[1_998:] = 7, 9
    limits = scan_limits(2_000, LINKS_MAX)
    assert accumulate_sources(view, workspace, history, 2_000, 2_000, limits) == 1


def test_ranking_leaves_nothing_behind_for_the_next() -> None:
    view = known_view(1)
    used, fresh = workspace_for(view), workspace_for(view)
    limits = scan_limits(30, LINKS_MAX)
    n_before = accumulate_sources(view, used, history_of(1, 20), 20, 20, limits)
    predict_touched(view, used, n_before)
    history = history_of(2, 5)
    n_used = accumulate_sources(view, used, history, 5, 5, limits)
    n_fresh = accumulate_sources(view, fresh, history, 5, 5, limits)
    assert n_before > n_used == n_fresh > 0
    assert np.array_equal(used.touched[:n_used], fresh.touched[:n_used])
    assert np.array_equal(used.source, fresh.source)
    assert np.array_equal(used.source_total, fresh.source_total)


def test_marks_are_void_after_the_stamp_wraps() -> None:
    view = known_view(1)
    workspace = workspace_for(view)
    workspace.stamp[0] = STAMP_MAX - 1
    stamps = [next_stamp(workspace)]
    workspace.marks[:] = stamps[0]
    workspace.marks[3] = 1
    stamps.append(next_stamp(workspace))
    assert stamps == [STAMP_MAX, 1]
    assert not np.any(workspace.marks == 1)


@pytest.mark.parametrize(
    ("history_length", "links_max", "expected"),
    [
        (1, 256, [256]),
        (12, 512, [256] * 3 + [128] * 7 + [32] * 2),
        (12, 40, [40] * 10 + [32] * 2),
        (11, 8, [8] * 11),
    ],
)
def test_scan_covers_more_of_the_newest_rows_than_of_older_ones(
    history_length: int, links_max: int, expected: list[int]
) -> None:
    assert scan_limits(history_length, links_max).tolist() == expected
