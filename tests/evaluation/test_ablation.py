"""Ranking without some features: what is left out does not tell, and names are those of columns."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.evaluation.ablation import feature_columns, feature_names
from stream_rec.evaluation.prequential import Prequential
from stream_rec.evaluation.scoring import ScoringEngine
from stream_rec.kernels.features import n_features
from tests.evaluation.logs import columns_of, made_up_rows

SETTINGS = ModelSettings()
N_EVENTS = 300


def ranks(names: list[str]) -> np.ndarray:
    log = columns_of(made_up_rows(N_EVENTS))
    engine = ScoringEngine(SETTINGS, EventSettings(), source_topic="log", n_partitions=1)
    engine.silence(feature_columns(names, SETTINGS.half_lives_s))
    run = Prequential(engine, log)
    assert list(run.run())[-1] == N_EVENTS
    return run.rank[log.is_scored]


def test_every_column_has_one_name() -> None:
    names = feature_names(SETTINGS.half_lives_s)
    assert len(set(names)) == len(names) == n_features(len(SETTINGS.half_lives_s))
    assert feature_columns(names, SETTINGS.half_lives_s) == list(range(len(names)))


def test_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match=r"expected names of popular_2h, .*, came 'charm'"):
        feature_columns(["age", "charm"], SETTINGS.half_lives_s)


def test_ranking_without_a_feature_is_another_ranking() -> None:
    assert (ranks([]) == ranks([])).all()
    assert (ranks([]) != ranks(["near_root"])).any()


def test_place_in_the_history_does_not_tell_where_seen_items_are_excluded() -> None:
    assert (ranks(["place"]) == ranks([])).all()


def test_ranking_without_any_feature_is_worse() -> None:
    everything = feature_names(SETTINGS.half_lives_s)
    assert (ranks([]) == 0).mean() > (ranks(everything) == 0).mean()
