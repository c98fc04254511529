"""Laws of the session protocol: next items of the last day's sessions, repeated items count."""

from __future__ import annotations

import numpy as np

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.peers import PEERS
from stream_rec.evaluation.scoring import ScoringEngine
from stream_rec.evaluation.session import SessionPrequential, score_sessions
from stream_rec.logs import LogRow
from stream_rec.recommender import Recommender
from tests.evaluation.logs import columns_of, made_up_rows

DAY_MS = 86_400_000


def run_engine(log: LogColumns, n_partitions: int = 1) -> SessionPrequential:
    engine = ScoringEngine(
        ModelSettings(exclude_seen=False),
        EventSettings(),
        source_topic="log",
        n_partitions=n_partitions,
    )
    run = SessionPrequential(engine, log, n_partitions=n_partitions)
    assert list(run.run())[-1] == len(log.user)
    return run


def test_scored_are_later_events_of_sessions_that_end_on_the_last_day() -> None:
    clicks = [("old", 0), ("long", 1), ("old", 2), ("new", DAY_MS), ("long", DAY_MS + 5)]
    clicks += [("new", 2 * DAY_MS), ("new", 2 * DAY_MS)]
    log = columns_of([LogRow(user, "a", "click", ts_ms=ts_ms) for user, ts_ms in clicks])
    assert score_sessions(log).is_scored.tolist() == [
        False,
        False,
        False,
        False,
        True,
        True,
        True,
    ]


def test_ranks_are_those_of_recommending_before_learning_with_repeats() -> None:
    rows = made_up_rows(1_700)
    log = score_sessions(columns_of(rows))
    recommender = Recommender(ModelSettings(exclude_seen=False))
    expected = []
    for row in rows:
        listed = recommender.recommend(row.user, k=10, at=row.ts_ms / 1000)
        items = [entry.item for entry in listed]
        expected.append(items.index(row.item) if row.item in items else -1)
        recommender.learn_one(
            {"user": row.user, "item": row.item, "type": row.type, "ts": row.ts_ms / 1000}
        )
    rank = run_engine(log).rank[log.is_scored]
    np.testing.assert_array_equal(np.where(rank < 10, rank, -1), np.array(expected)[log.is_scored])
    assert 0 < log.is_scored.sum() < len(rows)


def test_partitions_score_the_same_events() -> None:
    log = score_sessions(columns_of(made_up_rows(600)))
    rank = run_engine(log, n_partitions=3).rank[log.is_scored]
    assert rank_metrics(rank, 10)["hr"] > 0.2


def test_peers_rank_what_the_session_has_had() -> None:
    rows = [
        LogRow(f"s{x // 4}", "abab"[x % 4], "click", ts_ms=1_000_000 + 1000 * x) for x in range(80)
    ]
    log = columns_of(rows)
    scored = score_sessions(log)
    kind = PEERS["transitions"]
    peer = kind.make(log, kind.defaults)
    peer.score_next_items(scored.is_scored)
    for _ in peer.run():
        pass
    assert peer.rank[scored.is_scored][-3:].tolist() == [0, 0, 0]
