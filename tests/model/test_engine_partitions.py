"""The model is a sum: what partitions learn apart adds up to what one learns alone."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.ids import hash_id
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
        engine.process(partition, records_of([event], next_offset[partition]), 7)
        next_offset[partition] += 1
    return engine


def link_counts(engine: Engine) -> dict[tuple[str, str], tuple[int, int, int]]:
    links, texts = engine.items.view.rows.links, engine.items.ids.texts
    return {
        (texts[j], texts[links.neighbour[p]]): (links.near[p], links.wide[p], links.after[p])
        for j in range(len(texts))
        for p in range(links.start[j], links.start[j] + links.length[j])
    }


@pytest.mark.parametrize("n_partitions", [2, 5])
def test_counts_and_links_equal_those_of_one_partition_exactly(n_partitions: int) -> None:
    events = made_up_events(400)
    one, many = fold_in_partitions(events, 1), fold_in_partitions(events, n_partitions)
    assert many.items.ids.texts == one.items.ids.texts
    n = len(one.items.ids)
    assert np.array_equal(many.items.view.rows.count[:n], one.items.view.rows.count[:n])
    assert link_counts(many) == link_counts(one)
    assert many.items.view.rows.popularity[:n] == pytest.approx(
        one.items.view.rows.popularity[:n], abs=1e-9
    )


def test_live_view_equals_the_sum_of_the_rows() -> None:
    engine = fold_in_partitions(made_up_events(400), 3)
    n = len(engine.items.ids)
    live = engine.items.view.rows
    live_weights = [array.copy() for array in engine.weights.view]
    live_links = link_counts(engine)
    engine.items.sum_up()
    engine.weights.sum_up()
    summed = engine.items.view.rows
    assert np.array_equal(summed.count[:n], live.count[:n])
    assert link_counts(engine) == live_links
    for name in ("bias", "bias_squares", "popularity"):
        assert getattr(summed, name)[:n] == pytest.approx(getattr(live, name)[:n], abs=1e-4), name
    for summed_array, live_array in zip(engine.weights.view, live_weights, strict=True):
        assert summed_array == pytest.approx(live_array, abs=1e-3)


def test_partitions_learn_the_ranking_of_one() -> None:
    events = made_up_events(300)
    one, many = fold_in_partitions(events, 1), fold_in_partitions(events, 4)
    assert many.weights.view.hidden == pytest.approx(one.weights.view.hidden, abs=0.3)
    assert not np.array_equal(one.weights.view.output, np.zeros_like(one.weights.view.output))


def test_closing_a_partition_takes_its_part_out_of_the_view() -> None:
    events = made_up_events(300)
    engine = fold_in_partitions(events, 2)
    engine.close_partition(1)
    kept = [event for event in events if hash_id(event.user) % 2 == 0 and event.type == "click"]
    count = engine.items.view.rows.count
    for item in {event.item for event in events}:
        expected = sum(event.item == item for event in kept)
        assert count[engine.items.ids.slot(item)] == 16 * expected
