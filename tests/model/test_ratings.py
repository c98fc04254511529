"""Explicit ratings in the fold: river's `BiasedMF` in one partition, a sum over several."""

from __future__ import annotations

import numpy as np
import pytest
from river import optim, reco

from stream_rec.config import EventSettings, EventType, ModelSettings
from stream_rec.kernels.initial_factors import init_factors
from stream_rec.model.batch import Outcome
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.ids import hash_id
from stream_rec.model.ratings import (
    GRADIENT_MAX,
    LEARNING_RATE_BIAS,
    LEARNING_RATE_FACTORS,
    REG,
    START_SALT,
    START_SCALE,
    add_rating,
    expect_rating,
    has_started,
    rate,
    start_rating,
)
from stream_rec.model.runs import EventRun
from tests.kernels.compiled import callable_from_python
from tests.model.logs import made_up_events, recorded_events

N_FACTORS = 8
MODEL = ModelSettings(n_factors=N_FACTORS)
A_HASH, OTHER_HASH = np.uint64(7), np.uint64(8)
add = callable_from_python(add_rating)
start = callable_from_python(start_rating)
started = callable_from_python(has_started)
learn = callable_from_python(rate)


def engine_of(events: EventSettings | None = None) -> Engine:
    engine = Engine(MODEL, events or EventSettings(), source_topic="log", n_partitions=1)
    engine.open_partition(0)
    return engine


def fold(engine: Engine, events: list[Event], first_offset: int = 0) -> Outcome:
    offsets = range(first_offset, first_offset + len(events))
    return engine.fold([EventRun(0, events, offsets)], publish=False)


def start_of(text: str) -> np.ndarray:
    factors = np.zeros(N_FACTORS)
    init_factors(np.uint64(hash_id(text) ^ START_SALT), factors, START_SCALE)
    return factors


class RiverFromOurStarts:
    """River's own model with the settings of the fold, each id starting where its hash says."""

    def __init__(self) -> None:
        self.model = reco.BiasedMF(
            n_factors=N_FACTORS,
            bias_optimizer=optim.SGD(LEARNING_RATE_BIAS),
            latent_optimizer=optim.SGD(LEARNING_RATE_FACTORS),
            l2_bias=REG,
            l2_latent=REG,
            clip_gradient=GRADIENT_MAX,
        )

    def predict_then_learn(self, event: Event) -> float:
        model = self.model
        for latents, text in ((model.u_latents, event.user), (model.i_latents, event.item)):
            if text not in latents:
                latents[text] = start_of(text)
        predicted = model.predict_one(event.user, event.item)
        model.learn_one(event.user, event.item, y=event.value)
        return predicted


def assert_equals_river(events: list[Event]) -> None:
    river = RiverFromOurStarts()
    expected = [
        river.predict_then_learn(event) if event.type == "rating" else np.nan for event in events
    ]
    came = fold(engine_of(), events).expected
    np.testing.assert_allclose(came, expected, rtol=0, atol=1e-4)
    assert np.isfinite(came).sum() > len(events) / 2


def test_expected_ratings_equal_those_of_river() -> None:
    assert_equals_river(made_up_events(1_500, rated_share=0.8))


def test_expected_ratings_equal_those_of_river_on_movielens() -> None:
    assert_equals_river(recorded_events("ml100k", 5_000))


def test_rated_types_are_those_with_a_scale() -> None:
    types = {"score": EventType(scale=(0.0, 100.0)), "watch": EventType()}
    engine = engine_of(EventSettings(types=types))
    values = {"click": 5.0, "watch": 30.0, "dislike": 1.0, "score": 80.0, "rating": 7.0}
    events = [
        Event(user="ann", item=f"of {kind}", type=kind, value=value, ts=1e9)
        for kind, value in values.items()
    ]
    assert np.isnan(fold(engine, events).expected).tolist() == [True, True, True, False, False]
    assert engine.weights.view.ratings_seen.tolist() == [2.0, 87.0]
    rated = engine.items.view.rows.rating.any(axis=1)
    assert [bool(rated[engine.items.ids.slot(f"of {kind}")]) for kind in values] == [
        kind in ("score", "rating") for kind in values
    ]


def test_rating_without_a_value_teaches_nothing_about_ratings() -> None:
    types = {"rating": EventType(scale=(0.0, 10.0), value_required=False)}
    engine = engine_of(EventSettings(types=types))
    event = Event(user="ann", item="alien", type="rating", ts=1e9)
    assert np.isnan(fold(engine, [event]).expected).all()
    assert engine.weights.view.ratings_seen.tolist() == [0.0, 0.0]


def test_engine_expects_what_it_will_be_tested_with() -> None:
    engine, events = engine_of(), made_up_events(300, rated_share=1.0)
    assert engine.expect_rating(0, "u1", "i1") is None
    fold(engine, events[:1])
    for offset, event in enumerate(events[1:], 1):
        expected = engine.expect_rating(0, event.user, event.item)
        came = fold(engine, [event], offset).expected[0]
        assert came == pytest.approx(expected, abs=1e-6)
    n_users = len(engine.users)
    assert engine.expect_rating(0, "nobody", "nothing") == pytest.approx(
        engine.weights.view.ratings_seen[1] / len(events), abs=0.5
    )
    assert len(engine.users) == n_users, "being asked about makes nobody known"


def row_of(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def test_rows_add_up_as_start_and_what_each_partition_learned() -> None:
    random = np.random.default_rng(2)
    begin = np.zeros(4, np.float32)
    start(begin, A_HASH)
    learned = random.normal(0, 1, (3, 4))
    for order in ([0, 1, 2], [2, 0, 1]):
        total = np.zeros(4, np.float32)
        for p in order:
            add(total, (begin + learned[p]).astype(np.float32), A_HASH)
        assert total == pytest.approx(begin + learned.sum(axis=0), abs=1e-6)


def test_partition_without_ratings_adds_nothing() -> None:
    total = np.zeros(4, np.float32)
    add(total, np.zeros(4, np.float32), A_HASH)
    assert not total.any()
    add(total, row_of(0.5, 1.0, 2.0, 3.0), A_HASH)
    before = total.copy()
    add(total, np.zeros(4, np.float32), A_HASH)
    assert np.array_equal(total, before)


@pytest.mark.parametrize("row", [(0.5, 0.0, 0.0), (0.0, 0.0, 0.3), (0.2, 0.0, 0.3)])
def test_row_with_a_zero_in_it_is_not_started_again(row: tuple[float, ...]) -> None:
    learned = row_of(*row)
    assert started(learned)
    start(learned, A_HASH)
    assert learned.tolist() == row_of(*row).tolist()
    assert not started(np.zeros(3, np.float32))


def test_start_depends_on_the_id_and_not_on_the_implicit_one() -> None:
    one, other, implicit = (np.zeros(4, np.float32) for _ in range(3))
    start(one, A_HASH)
    start(other, OTHER_HASH)
    init_factors(A_HASH, implicit[1:], START_SCALE)
    assert one[0] == 0.0
    assert not np.isin(one[1:], [*other[1:], *implicit[1:]]).any()


def rated(learns_mean: bool, learns_item: bool, separate: bool) -> dict[str, np.ndarray]:
    """Rate once and return every array afterwards."""
    after = {
        "seen": np.array([10.0, 50.0]),
        "own_seen": np.array([4.0, 20.0]),
        "user": row_of(0.1, 0.2, 0.3),
        "item": row_of(0.2, 0.1, 0.4),
        "own_item": np.zeros(3, np.float32) if separate else row_of(0.2, 0.1, 0.4),
    }
    expected = learn(
        after["seen"],
        after["own_seen"],
        learns_mean,
        after["user"],
        after["item"],
        after["own_item"],
        learns_item,
        A_HASH,
        OTHER_HASH,
        9.0,
        separate,
    )
    assert expected == pytest.approx(5.0 + 0.3 + 0.02 + 0.12)
    return after


def test_replayed_rating_changes_only_what_does_not_hold_it_yet() -> None:
    once, item_ahead, all_ahead = (
        rated(True, True, separate=True),
        rated(True, False, separate=True),
        rated(False, False, separate=True),
    )
    assert once["seen"].tolist() == item_ahead["seen"].tolist() == [11.0, 59.0]
    assert once["own_seen"].tolist() == [5.0, 29.0]
    assert all_ahead["seen"].tolist() == [10.0, 50.0]
    assert all_ahead["own_seen"].tolist() == [4.0, 20.0]
    for ahead in (item_ahead, all_ahead):
        assert ahead["item"].tolist() == row_of(0.2, 0.1, 0.4).tolist()
        assert not ahead["own_item"].any()
        assert np.array_equal(ahead["user"], once["user"])
    begin = np.zeros(3, np.float32)
    start(begin, OTHER_HASH)
    assert once["own_item"] - begin == pytest.approx(once["item"] - row_of(0.2, 0.1, 0.4), abs=1e-6)


def test_expectation_counts_rows_without_ratings_at_their_start_and_changes_nothing() -> None:
    seen, zeros = np.array([2.0, 9.0]), np.zeros(4, np.float32)
    user, item = zeros.copy(), zeros.copy()
    came = expect_rating(seen, user, item, A_HASH, OTHER_HASH)
    assert not user.any()
    assert not item.any()
    start(user, A_HASH)
    start(item, OTHER_HASH)
    assert came == pytest.approx(4.5 + float(user @ item), abs=1e-6)
