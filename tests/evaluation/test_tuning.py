"""Laws of tuning: it chooses on the beginning of the log, never worse than the defaults."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from stream_rec.cli.evaluation.timing import new_peer
from stream_rec.cli.evaluation.tuning import tune
from stream_rec.errors import ConfigError
from stream_rec.evaluation.baselines import Baseline, choose_baselines
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.peers import PEERS
from stream_rec.evaluation.split import split_bounds
from tests.evaluation.logs import columns_of, made_up_rows

N_EVENTS = 1500
N_FIRST = N_EVENTS // 5


@pytest.fixture(scope="module")
def log() -> LogColumns:
    pytest.importorskip("optuna")
    return columns_of(made_up_rows(N_EVENTS, n_users=40, n_items=60))


def hit_rate(baseline: Baseline, log: LogColumns) -> float:
    peer = PEERS[baseline.peer].make(log, baseline.parameters)
    for _ in peer.run():
        pass
    return rank_metrics(peer.rank[log.is_scored], 10)["hr"]


@pytest.mark.parametrize("search", ["tpe", "random", "grid"])
def test_tuned_is_at_least_as_good_on_the_beginning(log: LogColumns, search: str) -> None:
    (default,) = choose_baselines(["transitions"])
    tuned = tune(default, log, 10, search, 6)
    beginning = log.first(N_FIRST)
    assert tuned.tuned
    assert hit_rate(tuned, beginning) >= hit_rate(default, beginning)


def test_rest_of_the_log_has_no_say(log: LogColumns) -> None:
    (default,) = choose_baselines(["item_knn"])
    item = log.item.copy()
    item[N_FIRST:] = np.random.default_rng(1).permutation(item[N_FIRST:])
    shuffled = log._replace(item=item)
    assert tune(default, log, 10, "tpe", 5) == tune(default, shuffled, 10, "tpe", 5)


def test_popularity_at_a_given_half_life_stays_as_it_is(log: LogColumns) -> None:
    hourly = Baseline("popularity_1h", "popularity", {"half_life_s": 3600.0}, ("half_life_s",))
    assert tune(hourly, log, 10, "random", 3) == hourly


def test_of_a_split_the_validation_decides(log: LogColumns) -> None:
    (default,) = choose_baselines(["transitions"])
    n_train, n_learned = split_bounds(N_EVENTS)
    item = log.item.copy()
    item[n_learned:] = item[n_learned:][::-1]
    with_other_test = log._replace(item=item)
    tuned = tune(default, log, 10, "random", 5, "split")
    assert tuned == tune(default, with_other_test, 10, "random", 5, "split")

    def validated(baseline: Baseline) -> float:
        peer, scored = new_peer(baseline.peer, baseline.parameters, log, "split", is_test=False)
        assert np.flatnonzero(scored.is_scored)[0] >= n_train
        list(peer.run())
        return rank_metrics(peer.rank[scored.is_scored], 10)["hr"]

    assert validated(tuned) >= validated(default)


def test_missing_optuna_is_one_clear_error(
    log: LogColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    (default,) = choose_baselines(["item_knn"])
    with pytest.raises(ConfigError, match=r"stream-rec\[tune\]"):
        tune(default, log, 10, "tpe", 2)
