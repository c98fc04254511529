"""Laws of the prequential evaluation: test before learning, whole log, same engine."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.lists import list_metrics
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.prequential import BATCH_EVENTS_MAX, Prequential, batch_bounds
from stream_rec.evaluation.result import score_ranks, with_rating_error
from stream_rec.model.engine import Engine
from stream_rec.recommender import Recommender
from tests.evaluation.logs import columns_of, made_up_rows, recorded_columns


def evaluate(log: LogColumns, n_partitions: int = 1, list_every: int = 0) -> Prequential:
    engine = Engine(ModelSettings(), EventSettings(), source_topic="log", n_partitions=n_partitions)
    evaluation = Prequential(engine, log, n_partitions=n_partitions, list_every=list_every)
    done = list(evaluation.run())
    assert done[-1] == len(log.user)
    return evaluation


def test_ranks_are_those_of_recommending_before_learning() -> None:
    rows = made_up_rows(700)
    log = columns_of(rows)
    recommender = Recommender()
    expected = []
    for row in rows:
        listed = recommender.recommend(row.user, k=10, at=row.ts_ms / 1000)
        places = [place for place, entry in enumerate(listed) if entry.item == row.item]
        expected.append(places[0] if places else -1)
        recommender.learn_one(
            {"user": row.user, "item": row.item, "type": row.type, "ts": row.ts_ms / 1000}
        )

    rank = evaluate(log).rank[log.is_scored]

    came = np.where(rank < 10, rank, -1)
    np.testing.assert_array_equal(came, np.array(expected)[log.is_scored])
    assert rank_metrics(rank, 10)["hr"] > 0.2


def test_later_events_do_not_change_earlier_ranks() -> None:
    log = columns_of(made_up_rows(600))
    n = 333
    shorter = log.first(n)
    np.testing.assert_array_equal(evaluate(shorter).rank, evaluate(log).rank[:n])


def test_keeping_lists_does_not_change_ranks() -> None:
    log = columns_of(made_up_rows(600))
    with_lists = evaluate(log, list_every=1)
    np.testing.assert_array_equal(with_lists.rank, evaluate(log).rank)
    assert with_lists.lists.n_lists == 600
    metrics = list_metrics(with_lists.lists, log)
    assert metrics["coverage"] == 1.0
    assert all(value > 0 for value in metrics.values())


def test_batches_are_runs_of_one_partition_in_log_order() -> None:
    partition = np.array([1] * 3 + [0] * (2 * BATCH_EVENTS_MAX + 5) + [1], np.int32)
    bounds = list(batch_bounds(partition))
    assert [first for first, _ in bounds[1:]] == [end for _, end in bounds[:-1]]
    assert (bounds[0][0], bounds[-1][1]) == (0, len(partition))
    for first, end in bounds:
        assert len(set(partition[first:end].tolist())) == 1
        assert 0 < end - first <= BATCH_EVENTS_MAX


def test_partitions_cost_little_quality() -> None:
    log = recorded_columns("ml100k", 6_000)
    one, four = (rank_metrics(evaluate(log, n).rank[log.is_scored], 10)["hr"] for n in (1, 4))
    assert four == pytest.approx(one, rel=0.05)


def test_recorded_log_gives_the_known_figure() -> None:
    log = recorded_columns("ml100k", 10_000)
    metrics = rank_metrics(evaluate(log).rank[log.is_scored], 10)
    assert metrics["hr"] > 0.15


def test_ratings_are_predicted_before_they_are_learned() -> None:
    log = recorded_columns("ml100k", 5_000)
    expected = evaluate(log).expected
    score = with_rating_error(
        score_ranks("engine", evaluate(log).rank, log, [10], 1.0), expected, log
    )
    assert score.rating_error is not None
    assert score.rating_error.n == 5_000
    spread = float(np.std(log.value))
    assert 0.8 * spread < score.rating_error.rmse < spread
    np.testing.assert_array_equal(evaluate(log.first(2_000)).expected, expected[:2_000])


def test_log_without_ratings_has_no_rating_error() -> None:
    log = columns_of(made_up_rows(100))
    run = evaluate(log)
    score = score_ranks("engine", run.rank, log, [10], 1.0)
    assert with_rating_error(score, run.expected, log) is score
