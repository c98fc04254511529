"""The model is a sum: what partitions learn apart adds up to what one learns alone."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.ids import hash_id
from stream_rec.model.learned import Learned
from stream_rec.model.runs import Run
from tests.model.links import link_counts
from tests.model.logs import made_up_events, records_of

ROOMY = ModelSettings(links_per_item_max=256)


def fold_in_partitions(events: list[Event], n_partitions: int) -> Engine:
    """Fold events one by one, each in the partition of its user."""
    engine = Engine(ROOMY, EventSettings(), source_topic="events", n_partitions=n_partitions)
    next_offset = [0] * n_partitions
    for partition in range(n_partitions):
        engine.open_partition(partition)
    for event in events:
        partition = hash_id(event.user) % n_partitions
        engine.process([Run(partition, records_of([event], next_offset[partition]))], 7)
        next_offset[partition] += 1
    return engine


@pytest.mark.parametrize("n_partitions", [2, 5])
def test_counts_and_links_equal_those_of_one_partition_exactly(n_partitions: int) -> None:
    events = made_up_events(400, rated_share=0.3)
    one, many = fold_in_partitions(events, 1), fold_in_partitions(events, n_partitions)
    assert many.items.ids.texts == one.items.ids.texts
    n = len(one.items.ids)
    assert np.array_equal(many.items.view.rows.taken[:n], one.items.view.rows.taken[:n])
    assert link_counts(many) == link_counts(one)
    assert many.items.view.rows.popularity[:n] == pytest.approx(
        one.items.view.rows.popularity[:n], abs=1e-9
    )
    n_users = [engine.items.view.rows.evidence[:n, 0] for engine in (many, one)]
    assert np.array_equal(*n_users)
    assert np.array_equal(many.weights.view.ratings_seen, one.weights.view.ratings_seen)


def test_live_view_equals_the_sum_of_the_rows() -> None:
    engine = fold_in_partitions(made_up_events(400, rated_share=0.3), 3)
    n = len(engine.items.ids)
    live = engine.items.view.rows
    live_learned = arrays_of(engine.weights.view)
    live_links = link_counts(engine)
    engine.items.sum_up()
    engine.weights.sum_up()
    summed = engine.items.view.rows
    assert np.array_equal(summed.taken[:n], live.taken[:n])
    assert link_counts(engine) == live_links
    for name in ("bias", "bias_squares", "popularity", "evidence", "rating"):
        assert getattr(summed, name)[:n] == pytest.approx(getattr(live, name)[:n], abs=1e-4), name
    for summed_array, live_array in zip(arrays_of(engine.weights.view), live_learned, strict=True):
        assert summed_array == pytest.approx(live_array, abs=1e-3)


def arrays_of(learned: Learned) -> list[np.ndarray]:
    return [array.copy() for array in (*learned.ranker, *learned.crowd, learned.ratings_seen)]


@pytest.mark.parametrize("n_partitions", [1, 3])
def test_gram_kept_up_is_that_of_the_items_seen(n_partitions: int) -> None:
    engine = fold_in_partitions(made_up_events(400), n_partitions)
    engine.items.ids.slot("never seen")
    for _ in range(2):
        view, n = engine.items.view, len(engine.items.ids)
        factors = view.factor[:n].astype(np.float64)
        assert view.n_seen[0] == n - 1
        assert not factors[n - 1].any()
        assert view.item_gram == pytest.approx(factors.T @ factors, abs=1e-9)
        engine.open_partition(0, engine.freeze(0).items)


def test_partitions_learn_the_ranking_of_one() -> None:
    events = made_up_events(300)
    one, many = fold_in_partitions(events, 1), fold_in_partitions(events, 4)
    ranker, ranker_of_many = one.weights.view.ranker, many.weights.view.ranker
    assert ranker_of_many.hidden == pytest.approx(ranker.hidden, abs=0.3)
    assert ranker.output.any()


def test_closing_a_partition_takes_its_part_out_of_the_view() -> None:
    events = made_up_events(300)
    engine = fold_in_partitions(events, 2)
    engine.close_partition(1)
    kept = [event for event in events if hash_id(event.user) % 2 == 0 and event.type == "click"]
    count = engine.items.view.rows.taken
    for item in {event.item for event in events}:
        expected = sum(event.item == item for event in kept)
        assert count[engine.items.ids.slot(item)] == 16 * expected


def test_closed_partition_leaves_only_what_the_others_learned() -> None:
    engine = fold_in_partitions(made_up_events(300, rated_share=0.3), 2)
    kept = engine.weights.own[0]
    engine.close_partition(1)
    rows, own = engine.items.view.rows, engine.items.own[0]
    assert np.array_equal(rows.evidence, own.evidence)
    assert rows.rating == pytest.approx(own.rating, abs=1e-6)
    assert engine.weights.view.ratings_seen.tolist() == kept.ratings_seen.tolist()
    unseen = np.isinf(rows.first_s)
    assert unseen[: len(engine.items.ids)].any()
    assert not engine.items.view.factor[unseen].any(), "what nobody saw predicts nothing"
