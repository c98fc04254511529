"""Laws of the split by time: the test teaches nothing, and only the test is scored."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.cli.evaluation.timing import new_peer
from stream_rec.config import EventSettings, ModelSettings
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers import PEERS
from stream_rec.evaluation.scoring import ScoringEngine
from stream_rec.evaluation.split import (
    SplitPrequential,
    score_test,
    split_bounds,
    train_and_validation,
)
from stream_rec.recommender import Recommender
from tests.evaluation.logs import columns_of, made_up_rows

N_EVENTS = 500
N_LEARNED = 450


def run_engine(log: LogColumns) -> SplitPrequential:
    engine = ScoringEngine(ModelSettings(), EventSettings(), source_topic="log", n_partitions=1)
    run = SplitPrequential(engine, score_test(log))
    assert list(run.run())[-1] == len(log.user)
    return run


def test_test_events_are_ranked_by_what_was_learned_before_the_test() -> None:
    rows = made_up_rows(N_EVENTS, n_users=40)
    log = columns_of(rows)
    recommender = Recommender()
    for row in rows[:N_LEARNED]:
        recommender.learn_one(
            {"user": row.user, "item": row.item, "type": row.type, "ts": row.ts_ms / 1000}
        )
    rank = run_engine(log).rank
    users = [row.user for row in rows]
    checked = 0
    for e in np.flatnonzero(score_test(log).is_scored).tolist():
        if users[e] in users[N_LEARNED:e]:
            continue
        listed = recommender.recommend(users[e], k=10, at=rows[e].ts_ms / 1000)
        places = [place for place, entry in enumerate(listed) if entry.item == rows[e].item]
        assert (rank[e] if rank[e] < 10 else -1) == (places[0] if places else -1)
        checked += 1
    assert checked > 10


def test_later_test_events_change_nothing() -> None:
    log = columns_of(made_up_rows(N_EVENTS))
    item = log.item.copy()
    item[N_LEARNED + 20 :] = item[N_LEARNED + 20 :][::-1]
    other = run_engine(log._replace(item=item)).rank
    np.testing.assert_array_equal(run_engine(log).rank[: N_LEARNED + 20], other[: N_LEARNED + 20])


@pytest.mark.parametrize("name", ["item_knn", "sequential_rules"])
def test_baseline_tests_on_what_it_learned_before_the_test(name: str) -> None:
    log, kind = columns_of(made_up_rows(N_EVENTS, n_users=40)), PEERS[name]
    run, scored = new_peer(name, kind.defaults, log, "split")
    list(run.run())
    learning = kind.make(log, kind.defaults)
    list(learning.run())
    np.testing.assert_array_equal(scored.is_scored, score_test(log).is_scored)
    first = int(np.flatnonzero(scored.is_scored)[0])
    assert run.rank[first] == learning.rank[first]
    popularity, _ = new_peer("popularity", {"half_life_s": np.inf}, log, "split")
    list(popularity.run())
    assert (run.rank != popularity.rank).any()


def test_parts_follow_each_other_in_time() -> None:
    log = columns_of(made_up_rows(N_EVENTS))
    assert split_bounds(N_EVENTS) == (400, N_LEARNED)
    test = np.flatnonzero(score_test(log).is_scored)
    validation = train_and_validation(log)
    scored = np.flatnonzero(validation.is_scored)
    assert len(validation.user) == N_LEARNED
    assert 400 <= scored[0] <= scored[-1] < N_LEARNED <= test[0]
    assert log.is_scored[test].all()
