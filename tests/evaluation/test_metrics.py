"""Every metric against its definition written out, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.evaluation.metrics import RANK_METRICS, rank_metrics
from stream_rec.evaluation.metrics.coverage import coverage
from stream_rec.evaluation.metrics.gini import gini
from stream_rec.evaluation.metrics.intra_list_diversity import intra_list_diversity, item_users
from stream_rec.evaluation.metrics.novelty import novelty
from stream_rec.evaluation.metrics.personalisation import personalisation
from stream_rec.evaluation.metrics.rating_error import RatingError
from stream_rec.evaluation.metrics.running import running_means

ranks = st.lists(st.integers(-2, 30), max_size=40).map(lambda x: np.array(x, np.int32))
gains = st.lists(st.floats(0, 1), max_size=30).map(lambda x: np.array(x, np.float64))
counts = st.lists(st.integers(0, 20), min_size=1, max_size=12).map(lambda x: np.array(x, np.int64))

ORACLES = {
    "hr": lambda place: 1.0,
    "ndcg": lambda place: 1.0 / math.log2(1 + place),
    "mrr": lambda place: 1.0 / place,
}


@given(ranks, st.integers(1, 25))
def test_rank_metric_is_the_mean_of_its_definition(rank: np.ndarray, k: int) -> None:
    came = rank_metrics(rank, k)
    for name, gain_at in ORACLES.items():
        expected = [gain_at(r + 1) if 0 <= r < k else 0.0 for r in rank.tolist()]
        assert came[name] == pytest.approx(sum(expected) / max(len(expected), 1))
    assert came.keys() == ORACLES.keys() == RANK_METRICS.keys()


@given(ranks, st.integers(1, 25))
def test_metrics_are_ordered_and_grow_with_k(rank: np.ndarray, k: int) -> None:
    here, further = rank_metrics(rank, k), rank_metrics(rank, k + 1)
    assert 0.0 <= here["mrr"] <= here["ndcg"] <= here["hr"] <= 1.0
    assert all(here[name] <= further[name] for name in here)


@given(gains)
def test_running_means_are_the_means_of_all_beginnings(gain: np.ndarray) -> None:
    expected = [gain[: x + 1].mean() for x in range(len(gain))]
    np.testing.assert_allclose(running_means(gain), expected)


def test_rating_error_equals_river() -> None:
    from river import metrics

    random = np.random.default_rng(1)
    rating, predicted = random.uniform(1, 5, 200), random.uniform(1, 5, 200)
    error, rmse, mae = RatingError(), metrics.RMSE(), metrics.MAE()
    assert (error.rmse, error.mae, error.n) == (0.0, 0.0, 0)
    for start in range(0, 200, 64):
        part = slice(start, start + 64)
        error.update(rating[part], predicted[part])
    for r, p in zip(rating.tolist(), predicted.tolist(), strict=True):
        rmse.update(r, p)
        mae.update(r, p)
    assert error.n == 200
    assert error.rmse == pytest.approx(rmse.get())
    assert error.mae == pytest.approx(mae.get())


@given(counts)
def test_gini_is_the_mean_difference_of_all_pairs(shown: np.ndarray) -> None:
    n, total = len(shown), shown.sum()
    pairs = sum(abs(int(a) - int(b)) for a in shown for b in shown)
    expected = pairs / (2 * n * total) if total else 0.0
    assert gini(shown) == pytest.approx(expected)


def test_coverage_and_novelty_of_nothing_are_zero() -> None:
    nothing = np.zeros(0, np.int64)
    assert coverage(nothing) == gini(nothing) == novelty(nothing, nothing) == 0.0
    assert novelty(np.zeros(2, np.int64), np.array([1, 1])) == 0.0


def test_novelty_of_a_rare_item_is_higher() -> None:
    n_events = np.array([1023, 1, 0])
    assert novelty(np.array([0, 5, 0]), n_events) == pytest.approx(10.0)
    assert novelty(np.array([5, 0, 0]), n_events) < 0.01
    assert novelty(np.array([0, 5, 7]), n_events) == pytest.approx(10.0)


@st.composite
def user_lists(draw: st.DrawFn) -> np.ndarray:
    lists = draw(st.lists(st.lists(st.integers(0, 8), unique=True, max_size=5), max_size=6))
    return np.array([[*items, *[-1] * (5 - len(items))] for items in lists], np.int32).reshape(
        -1, 5
    )


@given(user_lists())
def test_personalisation_is_the_mean_distance_of_all_pairs(lists: np.ndarray) -> None:
    sets = [set(row[row >= 0].tolist()) for row in lists]
    sets = [items for items in sets if items]
    distances = [
        1 - len(a & b) / math.sqrt(len(a) * len(b)) for x, a in enumerate(sets) for b in sets[:x]
    ]
    expected = sum(distances) / len(distances) if distances else 0.0
    assert personalisation(lists, 9) == pytest.approx(expected)


@given(user_lists(), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=30))
def test_intra_list_diversity_is_the_mean_distance_in_lists(
    lists: np.ndarray, events: list[tuple[int, int]]
) -> None:
    takers = {item: {u for u, i in events if i == item} for item in range(9)}

    def cosine(i: int, j: int) -> float:
        norm = math.sqrt(len(takers[i]) * len(takers[j]))
        return len(takers[i] & takers[j]) / norm if norm else 0.0

    values = []
    for row in lists.tolist():
        items = [item for item in row if item >= 0]
        pairs = [cosine(i, j) for x, i in enumerate(items) for j in items[:x]]
        if pairs:
            values.append(1 - sum(pairs) / len(pairs))
    user = np.array([u for u, _ in events], np.int32)
    item = np.array([i for _, i in events], np.int32)
    expected = sum(values) / len(values) if values else 0.0
    assert intra_list_diversity(lists, item_users(user, item, 9)) == pytest.approx(expected)
