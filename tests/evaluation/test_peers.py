"""Every peer against its slow, obvious version, and the laws that all of them hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.metrics.rating_error import RatingError
from stream_rec.evaluation.peers import PEERS
from stream_rec.logs import LogRow
from tests.evaluation.logs import columns_of, made_up_rows
from tests.evaluation.oracles import SLOW_PEERS

VARIATIONS = [
    ("popularity", {"half_life_s": 3600.0}),
    ("popularity", {"half_life_s": math.inf}),
    ("item_knn", {}),
    ("item_knn", {"window": 3.0, "decay": 0.5, "power": 0.25}),
    ("transitions", {}),
    ("sequential_rules", {}),
    ("sequential_rules", {"window": 4.0, "power": 0.5, "backwards": 0.0}),
    ("user_knn", {"k": 3.0, "n_latest": 6.0}),
    ("v_sknn", {"m": 6.0, "k": 4.0}),
    ("v_sknn", {"gap_s": 1800.0, "n_latest": 3.0, "idf_power": 1.0}),
    ("vmis_knn", {"m": 4.0, "k": 3.0}),
    ("vmis_knn", {"gap_s": 1800.0, "slope": 3.0, "idf_power": 0.5}),
    ("stan", {"k": 4.0, "half_life_s": 7200.0, "reach": 2.0}),
    ("stan", {"gap_s": 1800.0}),
    ("als", {"every_s": 3600.0, "n_factors": 4.0}),
    ("als", {"every_s": math.inf, "every_events": 150.0, "n_factors": 4.0, "alpha": 5.0}),
    ("isgd", {}),
    ("isgd", {"n_factors": 3.0, "learning_rate": 0.2, "reg": 0.05}),
]


def ranks(name: str, log: LogColumns, **parameters: float) -> np.ndarray:
    kind = PEERS[name]
    peer = kind.make(log, {**kind.defaults, **parameters})
    assert list(peer.run())[-1] == len(log.user)
    return peer.rank[log.is_scored]


@pytest.mark.parametrize(("name", "parameters"), VARIATIONS)
def test_peer_equals_its_oracle(name: str, parameters: dict[str, float]) -> None:
    log = columns_of(made_up_rows(700, n_users=12, n_items=36, seed=3))
    slow = SLOW_PEERS[name](**{**PEERS[name].defaults, **parameters}).run(log)
    came = ranks(name, log, **parameters)
    # Sums in another order may swap items that are equal up to rounding.
    assert np.mean(came == np.array(slow)) > 0.99
    assert rank_metrics(came, 10) == pytest.approx(
        rank_metrics(np.array(slow, np.int32), 10), abs=0.003
    )


def rated_log(n: int) -> LogColumns:
    """Return ratings of 1 to 5 that depend on user and item, and on chance."""
    random = np.random.default_rng(4)
    rows = []
    for x in range(n):
        user, item = int(random.integers(10)), int(random.integers(25))
        rating = float(np.clip(round(3 + (user % 3 - 1) + (item % 3 - 1) + random.normal()), 1, 5))
        rows.append(LogRow(f"u{user}", f"i{item}", "rating", rating, ts_ms=1000 * x))
    return columns_of(rows)


def test_biased_mf_equals_river_in_ranks_and_ratings() -> None:
    log, kind = rated_log(500), PEERS["biased_mf"]
    peer = kind.make(log, kind.defaults)
    assert list(peer.run())[-1] == 500
    slow = SLOW_PEERS["biased_mf"](**kind.defaults)
    ranks_of_river = slow.run(log)
    np.testing.assert_allclose(peer.predicted, slow.predicted, atol=1e-6)
    assert np.mean(peer.rank[log.is_scored] == np.array(ranks_of_river)) > 0.99
    error = RatingError()
    error.update(log.value, peer.predicted)
    assert 0.5 < error.rmse < 1.6


# implicit converts its own matrix and warns itself of it.
@pytest.mark.filterwarnings("ignore::implicit.utils.ParameterWarning")
def test_item_knn_without_a_window_equals_the_cosine_neighbours_of_implicit() -> None:
    rows = {(row.user, row.item): row for row in made_up_rows(500, n_users=12, n_items=40)}
    log = columns_of([row._replace(type="click") for row in rows.values()])
    n = len(log.user) - 60
    came = ranks("item_knn", log, window=1000.0, decay=1.0, power=0.5)
    for e in range(n, len(log.user)):
        user, item = int(log.user[e]), int(log.item[e])
        taken = csr_matrix(
            (np.ones(e), (log.user[:e], log.item[:e])), (len(log.users), len(log.items))
        )
        model = CosineRecommender(K=len(log.items))
        model.fit(taken, show_progress=False)
        listed, score = model.recommend(user, taken[user], N=len(log.items))
        own = score[listed == item]
        # Among equals implicit has an order of its own.
        better = np.count_nonzero(score > own + 1e-9) if len(own) else np.count_nonzero(score > 0)
        equal = np.count_nonzero(np.abs(score - own) < 1e-9) if len(own) else len(log.items)
        assert came[e] == -1 or better <= came[e] < better + equal


@pytest.mark.parametrize("name", sorted(PEERS))
def test_frozen_peer_ranks_as_it_did_when_it_had_just_learned(name: str) -> None:
    kind = PEERS[name]
    log = rated_log(160) if kind.needs_ratings else columns_of(made_up_rows(500, n_users=25))
    n = len(log.user) - 60
    is_scored = log.is_scored & (np.arange(len(log.user)) >= n)
    frozen = kind.make(log, kind.defaults)
    frozen.learn_only_first(n, is_scored)
    list(frozen.run())
    first_of_user = [e for e in np.flatnonzero(is_scored) if log.user[e] not in log.user[n:e]]
    assert len(first_of_user) >= 5
    for e in first_of_user:
        kept = [*range(n), int(e)]
        short = LogColumns._make([*(column[kept] for column in log[:-2]), *log[-2:]])
        peer = kind.make(short, kind.defaults)
        if kind.needs_package:  # else the batch runs at other times
            peer.learn_only_first(n, short.is_scored & (np.arange(n + 1) == n))
        list(peer.run())
        assert frozen.rank[e] == peer.rank[n]


@pytest.mark.parametrize("name", sorted(PEERS))
def test_later_events_do_not_change_earlier_ranks(name: str) -> None:
    log = columns_of(made_up_rows(900))
    n = 640
    shorter = log.first(n)
    later = ranks(name, log)[: np.count_nonzero(shorter.is_scored)]
    np.testing.assert_array_equal(ranks(name, shorter), later)


@pytest.mark.parametrize("name", sorted(set(PEERS) - {"popularity", "biased_mf"}))
def test_personal_peer_beats_chance_where_users_have_a_taste(name: str) -> None:
    log = columns_of(made_up_rows(3_000, n_users=150, n_items=90))
    assert rank_metrics(ranks(name, log), 10)["hr"] > 1.05 * 10 / 90


@pytest.mark.parametrize("name", sorted(PEERS))
def test_item_that_never_occurred_has_no_rank(name: str) -> None:
    log = columns_of(made_up_rows(300))
    first_of_item = np.zeros(len(log.item), bool)
    first_of_item[np.unique(log.item, return_index=True)[1]] = True
    came = ranks(name, log)
    np.testing.assert_array_equal(came == -1, first_of_item[log.is_scored])


@pytest.mark.parametrize("name", sorted(PEERS))
def test_choices_are_of_known_parameters_and_include_a_change(name: str) -> None:
    kind = PEERS[name]
    assert set(kind.choices) <= set(kind.defaults)
    assert all(len(values) > 1 for values in kind.choices.values())
