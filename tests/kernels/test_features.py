"""Features against their formulas, item by item."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.angles import COSINE_SCALE
from stream_rec.kernels.features import (
    ABSENT,
    history_bucket,
    n_features,
    write_context,
    write_features,
)
from stream_rec.kernels.id_order import find_beside
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.sources import accumulate_sources, scan_limits
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import BESIDE_STEPS, N_BUCKETS, N_CONTEXT, N_LINK_SOURCES
from tests.kernels.views import (
    HALF_LIVES_S,
    LINKS_MAX,
    N_FACTORS,
    N_ITEMS,
    START_S,
    beside_slowly,
    history_of,
    known_view,
    made_up_view,
    workspace_for,
)

FIRST_LINK = len(HALF_LIVES_S) + 1
FIRST_OTHER = FIRST_LINK + N_LINK_SOURCES
NO_HISTORY = np.zeros(1, np.int32)
seeds = st.integers(0, 9)


def x_of_share(share: float) -> float:
    return ABSENT if share <= 1e-12 else (max(math.log(share), -14.0) + 7.0) / 3.0


def popularity_shares(view: ItemView) -> np.ndarray:
    """Return shares by item and list, summed over all items the slow way."""
    logs = view.rows.popularity
    weights = np.column_stack([np.exp2(logs - logs.max(axis=0)), view.rows.taken])
    return weights / weights.sum(axis=0)


def minutes(seconds: float) -> float:
    return math.log1p(max(seconds, 0.0) / 60.0)


def likeness(view: ItemView, item: int, last: int) -> list[float]:
    if last < 0:
        return [0.0, 0.0]
    count, first_s = view.rows.taken / WEIGHT_UNIT, view.rows.first_s
    between_s = 1e10 if np.isinf(first_s[item]) else min(abs(first_s[item] - first_s[last]), 1e10)
    return [
        2.5 - 1.2 * abs(math.log1p(count[item]) - math.log1p(count[last])),
        (7.0 - minutes(between_s)) / 3.0,
    ]


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / math.sqrt((one @ one) * (other @ other)))


def place(history: np.ndarray, item: int) -> float:
    found = np.flatnonzero(history == item)
    return ABSENT if len(found) == 0 else max(2.5 - 1.2 * math.log1p(found[0]), ABSENT)


def slim_score(view: ItemView, item: int, had: np.ndarray) -> float:
    return float(view.slim.weight[item] @ had[view.slim.neighbour[item]])


def like_id(view: ItemView, seed: int, item: int, last: int) -> float:
    for side in beside_slowly(view, seed, last) if last >= 0 else ():
        if item in side[:BESIDE_STEPS]:
            return 2.5 / math.sqrt(1 + side.index(item))
    return 0.0


@given(seeds, st.integers(0, N_ITEMS), st.floats(-1e5, 4e6))
def test_features_equal_their_formulas(seed: int, n_history: int, after_s: float) -> None:
    view, now_s = known_view(seed), START_S + after_s
    workspace = workspace_for(view)
    limits = scan_limits(30, LINKS_MAX)
    history = history_of(seed, n_history)
    accumulate_sources(view, workspace, history, n_history, n_history, limits)
    find_beside(view, workspace, history, n_history)
    candidates = np.random.default_rng(seed).permutation(N_ITEMS)[:20]
    workspace.candidate[:20] = candidates
    user_factor = np.array([0.5, -1.0, 2.0], np.float32)
    last = int(history[0]) if n_history else -1
    had = np.random.default_rng(seed).random(N_ITEMS) < 0.3
    workspace.stamp[0] = 3
    workspace.had[:] = np.where(had, 3, 2)
    write_features(view, workspace, user_factor, history, n_history, 20, now_s)

    links = workspace.source[:, :N_LINK_SOURCES].astype(float)
    totals = links.sum(axis=0)
    shares = np.hstack([popularity_shares(view), links / np.where(totals > 0, totals, 1.0)])
    for a, item in enumerate(candidates):
        x, missing = workspace.feature[:, a], workspace.missing[:, a]
        expected = [x_of_share(share) for share in shares[item]]
        assert x[:FIRST_OTHER] == pytest.approx(expected, abs=1e-4)
        assert missing[:FIRST_OTHER].tolist() == (shares[item] <= 1e-12).tolist()
        others = [
            (minutes(now_s - view.rows.first_s[item]) - 7.0) / 4.0,
            (minutes(min(now_s - view.rows.last_s[item], 1e10)) - 7.0) / 4.0,
            user_factor @ view.factor[item],
            *likeness(view, item, last),
            COSINE_SCALE * cosine(user_factor, view.factor[item]),
            COSINE_SCALE * cosine(view.factor[last], view.factor[item]) if n_history else 0.0,
            np.clip(view.rows.bias[item], ABSENT, -ABSENT),
            min(3.0 * math.sqrt(slim_score(view, item, had)) - 1.0, -ABSENT),
            like_id(view, seed, item, last),
            place(history, item),
        ]
        assert x[FIRST_OTHER:] == pytest.approx(others, abs=1e-5)
        assert missing[FIRST_OTHER:].tolist() == [0.0] * 10 + [float(item not in history)]
    assert x.shape == (n_features(len(HALF_LIVES_S)),)


def test_without_a_column_for_the_place_the_others_are_as_they_were() -> None:
    view, history = known_view(4), history_of(4, 6)
    written = []
    for exclude_seen in (False, True):
        workspace = workspace_for(view, exclude_seen=exclude_seen)
        workspace.candidate[:N_ITEMS] = np.arange(N_ITEMS)
        factor = np.ones(N_FACTORS, np.float32)
        write_features(view, workspace, factor, history, 6, N_ITEMS, START_S)
        written.append((workspace.feature[:, :N_ITEMS], workspace.missing[:, :N_ITEMS]))
    for with_place, without in zip(*written, strict=True):
        assert len(with_place) == len(without) + 1 == n_features(len(HALF_LIVES_S))
        assert np.array_equal(with_place[:-1], without)


def test_where_there_is_no_factor_there_is_no_angle() -> None:
    view = made_up_view(5)
    workspace = workspace_for(view)
    workspace.candidate[:4] = np.arange(4)
    view.factor[1] = 0.0
    user_factor = np.zeros(N_FACTORS, np.float32)
    write_features(view, workspace, user_factor, np.array([2], np.int32), 1, 4, START_S)
    of_user, of_last = workspace.feature[FIRST_OTHER + 5 : FIRST_OTHER + 7, :4]
    assert of_user.tolist() == [0.0] * 4
    assert of_last[1] == 0.0
    assert of_last[2] == pytest.approx(COSINE_SCALE)
    assert np.abs(of_last).max() <= COSINE_SCALE * (1 + 1e-6)


def test_shares_do_not_depend_on_the_time_of_asking_nor_on_the_size_of_the_log() -> None:
    one, other = known_view(3), made_up_view(3)
    other.rows.taken[:] *= 100
    other.total[:] += math.log2(100)
    other.top.keys[:, :FIRST_LINK] += math.log2(100)
    written = []
    for view, now_s in ((one, START_S), (other, START_S + 1e6)):
        workspace = workspace_for(view)
        workspace.candidate[:10] = np.arange(10)
        factor = np.zeros(N_FACTORS, np.float32)
        write_features(view, workspace, factor, NO_HISTORY, 0, 10, now_s)
        written.append(workspace.feature[:FIRST_LINK, :10].copy())
    assert written[0] == pytest.approx(written[1], abs=1e-5)


def test_features_of_an_empty_view_are_finite() -> None:
    view = made_up_view(0, n_events=0, n_links=0)
    workspace = workspace_for(view)
    factor = np.ones(N_FACTORS, np.float32)
    write_features(view, workspace, factor, NO_HISTORY, 0, 3, START_S)
    assert np.isfinite(workspace.feature[:, :3]).all()
    assert (workspace.feature[:FIRST_OTHER, :3] == ABSENT).all()
    assert workspace.missing[:, :3].sum() == 3 * (FIRST_OTHER + 1)


@given(st.integers(0, 10_000), st.floats(-1e9, 1e9), st.integers(0, 10**12))
def test_context_equals_its_formulas(n_distinct: int, gap_s: float, count: int) -> None:
    context = np.full(N_CONTEXT, np.nan, np.float32)
    write_context(context, n_distinct, gap_s, count)
    expected = [float(bucket == history_bucket(n_distinct)) for bucket in range(N_BUCKETS)]
    expected += [
        math.log1p(n_distinct) / 3.0 - 0.5,
        (minutes(gap_s) - 4.0) / 4.0 if n_distinct else 0.0,
        (math.log1p(count / WEIGHT_UNIT) - 4.0) / 3.0,
    ]
    assert context == pytest.approx(expected, abs=1e-5)


def test_context_of_a_user_never_seen_is_finite() -> None:
    context = np.zeros(N_CONTEXT, np.float32)
    write_context(context, 0, math.inf, 0)
    assert np.isfinite(context).all()


@given(st.integers(0, 100))
def test_buckets_part_histories_at_1_3_and_10(n_distinct: int) -> None:
    expected = sum(n_distinct >= first for first in (1, 3, 10))
    assert history_bucket(n_distinct) == expected
