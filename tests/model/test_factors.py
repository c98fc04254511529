"""Implicit factors in the fold against the same steps in float64, one line a formula."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.initial_factors import init_factors
from stream_rec.kernels.ridge import (
    HISTORY_LENGTH,
    ITEM_REG,
    ITEM_UNSEEN_WEIGHT,
    N_SWEEPS,
    RECENCY,
    START_SCALE,
    USER_REG,
    USER_UNSEEN_WEIGHT,
    WINDOW_EVENTS,
)
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.ids import hash_id
from stream_rec.model.runs import EventRun
from tests.model.logs import made_up_events

N_FACTORS = 4


def fold(events: list[Event], n_partitions: int = 1) -> Engine:
    """Fold events one by one, each in the partition of its user."""
    engine = Engine(
        ModelSettings(n_factors=N_FACTORS),
        EventSettings(),
        source_topic="events",
        n_partitions=n_partitions,
    )
    for partition in range(n_partitions):
        engine.open_partition(partition)
    for offset, event in enumerate(events):
        engine.fold(
            [EventRun(hash_id(event.user) % n_partitions, [event], [offset])], publish=False
        )
    return engine


def start_of(item: str) -> np.ndarray:
    factor = np.zeros(N_FACTORS)
    init_factors(np.uint64(hash_id(item)), factor, START_SCALE)
    return factor


def descend(matrix: np.ndarray, target: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Solve matrix · x = target approximately: each coordinate in turn, the others held fixed."""
    x = x.copy()
    for _ in range(N_SWEEPS):
        for f in range(len(x)):
            x[f] += (target[f] - matrix[f] @ x) / matrix[f, f]
    return x


class SlowFactors:
    """The factors of one partition, over dictionaries."""

    def __init__(self) -> None:
        self.history: dict[str, list[str]] = {}
        self.seen: dict[str, set[str]] = {}
        self.factor: dict[str, np.ndarray] = {}
        self.evidence: dict[str, np.ndarray] = {}
        self.crowd_weight = 0.0
        self.crowd_total = np.zeros(N_FACTORS)
        self.crowd_gram = np.zeros((N_FACTORS, N_FACTORS))

    def learn(self, event: Event) -> None:
        user, item, likes = event.user, event.item, event.type != "dislike"
        history, seen = self.history.setdefault(user, []), self.seen.setdefault(user, set())
        if item not in self.factor:
            self.factor[item], self.evidence[item] = start_of(item), np.zeros(N_FACTORS + 1)
        if item not in seen and history:
            p = self.user_factor(history)
            keep = 1.0 - 1.0 / WINDOW_EVENTS
            self.crowd_weight = keep * self.crowd_weight + 1.0
            self.crowd_total = keep * self.crowd_total + p
            self.crowd_gram = keep * self.crowd_gram + np.outer(p, p)
            self.evidence[item] += np.array([1.0, *(p if likes else 0.0 * p)])
            self.factor[item] = self.item_factor(item)
        seen.add(item)
        if item in history:
            history.remove(item)
        if likes:
            history.insert(0, item)

    def user_factor(self, history: list[str]) -> np.ndarray:
        q = np.array(list(self.factor.values()))
        taken = np.array([self.factor[item] for item in history[:HISTORY_LENGTH]])
        weights = RECENCY ** np.arange(len(taken))
        mean = self.crowd_total / self.crowd_weight if self.crowd_weight else 0 * q[0]
        matrix = (
            taken.T @ (weights[:, None] * taken)
            + USER_UNSEEN_WEIGHT / len(q) * q.T @ q
            + USER_REG * np.eye(N_FACTORS)
        )
        return descend(matrix, weights @ taken + USER_REG * mean, mean)

    def item_factor(self, item: str) -> np.ndarray:
        n, *b = self.evidence[item]
        average = self.crowd_gram / self.crowd_weight
        matrix = (n + ITEM_UNSEEN_WEIGHT) * average + ITEM_REG * np.eye(N_FACTORS)
        return descend(matrix, np.array(b) + ITEM_REG * start_of(item), self.factor[item])


def by_item(engine: Engine, rows: np.ndarray) -> dict[str, np.ndarray]:
    return {text: rows[slot] for slot, text in enumerate(engine.items.ids.texts)}


def assert_close(
    came: dict[str, np.ndarray], expected: dict[str, np.ndarray], bound: float
) -> None:
    assert came.keys() == expected.keys()
    for item, numbers in expected.items():
        assert came[item] == pytest.approx(numbers, abs=bound), item


def test_factors_of_the_fold_equal_their_oracle() -> None:
    events = made_up_events(400)
    slow = SlowFactors()
    for event in events:
        slow.learn(event)
    engine = fold(events)
    crowd, view = engine.weights.view.crowd, engine.items.view
    assert crowd.weight[0] == pytest.approx(slow.crowd_weight, abs=1e-9)
    assert crowd.total == pytest.approx(slow.crowd_total, abs=1e-3)
    assert crowd.gram == pytest.approx(slow.crowd_gram, abs=1e-3)
    assert_close(by_item(engine, view.rows.evidence), slow.evidence, 1e-4)
    assert_close(by_item(engine, view.factor), slow.factor, 1e-4)
    assert np.abs(crowd.total).max() > 0.1


def test_events_that_teach_factors_nothing() -> None:
    """First events have no history that led to them; repeated ones are no choice."""
    first = [Event(user=f"u{x}", item="a", type="click", ts=1e9) for x in range(5)]
    again = [Event(user="u0", item="a", type="click", ts=1e9 + 1)]
    engine = fold(first + again)
    assert not engine.items.view.rows.evidence.any()
    assert engine.weights.view.crowd.weight[0] == 0.0
    assert by_item(engine, engine.items.view.factor)["a"] == pytest.approx(start_of("a"), abs=1e-7)


def test_rejection_counts_the_user_and_takes_nothing_of_the_taste() -> None:
    liked = [Event(user="ann", item=item, type="click", ts=1e9) for item in ("a", "b")]
    engine = fold([*liked, Event(user="ann", item="c", type="dislike", ts=1e9)])
    evidence = by_item(engine, engine.items.view.rows.evidence)
    assert evidence["b"][0] == evidence["c"][0] == 1.0
    assert evidence["b"][1:].any()
    assert not evidence["c"][1:].any()


def test_solving_anew_leaves_nothing_to_solve() -> None:
    engine = fold(made_up_events(400), n_partitions=2)
    engine.sum_up()
    crowd, view = engine.weights.view.crowd, engine.items.view
    for text, (n, *b), q in _solved(engine):
        matrix = (n + ITEM_UNSEEN_WEIGHT) * crowd.gram / crowd.weight + ITEM_REG * np.eye(N_FACTORS)
        exact = np.linalg.solve(matrix, np.array(b) + ITEM_REG * start_of(text))
        assert q == pytest.approx(exact, abs=1e-5), text
    n_items = len(engine.items.ids)
    factors = view.factor[:n_items].astype(np.float64)
    assert view.item_gram == pytest.approx(factors.T @ factors, abs=1e-9)


def _solved(engine: Engine) -> Iterable[tuple[str, np.ndarray, np.ndarray]]:
    view = engine.items.view
    return zip(engine.items.ids.texts, view.rows.evidence, view.factor, strict=False)


def test_crowd_of_the_view_is_the_sum_of_the_partitions() -> None:
    engine = fold(made_up_events(400), n_partitions=3)
    own = [learned.crowd for learned in engine.weights.own.values()]
    for of_view, *parts in zip(engine.weights.view.crowd, *own, strict=True):
        assert of_view == pytest.approx(sum(parts), abs=1e-9)


def test_prediction_prefers_the_items_of_the_users_group() -> None:
    engine = fold(made_up_events(3_000, n_users=80))
    factors = by_item(engine, engine.items.view.factor)
    mean = {
        group: np.mean([factors[f"i{x}"] for x in range(group, 40, 4)], 0) for group in range(4)
    }
    for one in mean:
        for other in mean:
            if one != other:
                assert mean[one] @ mean[one] > mean[one] @ mean[other]
