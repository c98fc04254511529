"""Laws of learning late: nothing is known before its time, and a long delay knows nothing."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.delayed import DelayedPrequential
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.prequential import Prequential
from stream_rec.evaluation.scoring import ScoringEngine
from stream_rec.logs import LogRow
from stream_rec.recommender import Recommender
from tests.evaluation.logs import columns_of, made_up_rows

GAP_S = 60
"""Between two events of the made-up log."""


def new_engine(n_partitions: int = 1) -> ScoringEngine:
    return ScoringEngine(
        ModelSettings(), EventSettings(), source_topic="log", n_partitions=n_partitions
    )


def ranks(log: LogColumns, delay_s: float, n_partitions: int = 1) -> np.ndarray:
    run = DelayedPrequential(
        new_engine(n_partitions), log, delay_s=delay_s, n_partitions=n_partitions
    )
    assert list(run.run())[-1] == len(log.user)
    return run.rank[log.is_scored]


def test_delay_shorter_than_every_gap_changes_nothing() -> None:
    log = columns_of(made_up_rows(500))
    real_time = Prequential(new_engine(), log)
    for _ in real_time.run():
        pass
    np.testing.assert_array_equal(ranks(log, GAP_S / 2), real_time.rank[log.is_scored])


def test_delay_longer_than_the_log_proposes_nothing() -> None:
    log = columns_of(made_up_rows(200))
    assert set(ranks(log, 1e6).tolist()) == {-1}


@pytest.mark.parametrize("n_late", [1, 7, 40])
def test_ranks_are_those_of_a_recommender_fed_late(n_late: int) -> None:
    rows = made_up_rows(400)
    log = columns_of(rows)
    recommender, expected = Recommender(), []
    for e, row in enumerate(rows):
        if e >= n_late:
            learn(recommender, rows[e - n_late])
        pending = {late.item for late in rows[max(e - n_late + 1, 0) : e] if late.user == row.user}
        listed = recommender.recommend(row.user, k=100, at=row.ts_ms / 1000)
        n_known = len(recommender_unseen(rows[: max(e - n_late + 1, 0)], row.user))
        items = [entry.item for entry in listed[:n_known] if entry.item not in pending]
        expected.append(items.index(row.item) if row.item in items[:10] else -1)
    came = ranks(log, n_late * GAP_S)
    came[came >= 10] = -1  # further down a list of 100 is filled up with what is no candidate
    np.testing.assert_array_equal(came, np.array(expected)[log.is_scored])
    assert 0 < rank_metrics(came, 10)["hr"] < 1


def learn(recommender: Recommender, row: LogRow) -> None:
    recommender.learn_one(
        {"user": row.user, "item": row.item, "type": row.type, "ts": row.ts_ms / 1000}
    )


def recommender_unseen(learned: list[LogRow], user: str) -> set[str]:
    """Return the items that a list may hold: those learned and new to the user."""
    return {row.item for row in learned} - {row.item for row in learned if row.user == user}


def test_partitions_learn_late_too() -> None:
    log = columns_of(made_up_rows(400))
    one, three = ranks(log, 600.0), ranks(log, 600.0, n_partitions=3)
    assert rank_metrics(three, 10)["hr"] == pytest.approx(rank_metrics(one, 10)["hr"], rel=0.2)
