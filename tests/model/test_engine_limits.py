"""The engine at the edges of its configuration, where pools and columns are just large enough."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.links import block_places
from stream_rec.model.engine import Engine
from stream_rec.model.fold import link_places_of_event
from stream_rec.model.runs import Run
from tests.kernels.link_oracle import check_pool
from tests.model.logs import made_up_events, records_of


def opened(model: ModelSettings, n_partitions: int = 1, **events: int) -> Engine:
    engine = Engine(
        model, EventSettings(**events), source_topic="events", n_partitions=n_partitions
    )
    for partition in range(n_partitions):
        engine.open_partition(partition)
    return engine


@pytest.mark.parametrize("links_max", [1, 4, 9, 100])
def test_any_bound_of_links_is_kept(links_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_rec.model.items.FIRST_LINK_PLACES", 64)
    engine = opened(ModelSettings(links_per_item_max=links_max, history_length=5))
    engine.process([Run(0, records_of(made_up_events(400, n_items=120)))], 7)
    links = engine.items.view.rows.links
    assert links.length.max() >= min(links_max, 20)
    check_pool(links, links_max)


@pytest.mark.parametrize("links_max", [1, 8, 9, 100, 256])
def test_room_for_one_event_covers_every_row_that_it_can_lengthen(links_max: int) -> None:
    """The event's item may go through all sizes, those of the history each to the largest."""
    largest = block_places(links_max)
    all_sizes = sum(size for size in (8 << s for s in range(28)) if size <= largest)
    for history_length in (1, 30, 1_000):
        needed = history_length * largest + all_sizes
        assert link_places_of_event(history_length, links_max) >= needed


def test_sum_over_many_partitions_fits_its_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without common neighbours make the sum's rows go through the most sizes."""
    monkeypatch.setattr("stream_rec.model.items.FIRST_LINK_PLACES", 8)
    n_items, n_partitions = 100, 5
    engine = opened(ModelSettings(), n_partitions)
    slots = [engine.items.ids.slot(str(x)) for x in range(n_items)]
    for partition in range(n_partitions):
        engine.items.reserve_links(partition, 8 * n_items)
        rows = engine.items.own[partition].links
        rows.start[:n_items] = 8 * np.arange(n_items)
        rows.length[:n_items] = rows.capacity[:n_items] = 8
        rows.used[0] = 8 * n_items
        rows.neighbour[: 8 * n_items] = 8 * partition + np.arange(8 * n_items) % 8
        rows.wide[: 8 * n_items] = 1
    engine.items.sum_up()
    total = engine.items.view.rows.links
    assert total.length[slots].tolist() == [8 * n_partitions] * n_items
    assert total.used[0] <= len(total.neighbour)
    check_pool(total, 256)


@pytest.mark.parametrize(
    ("model", "events"),
    [
        ({"history_length": 1}, {}),
        ({"history_length": 200, "links_per_item_max": 16}, {}),
        ({"list_length": 100}, {}),
        ({"candidates_per_source": 1, "newest_candidates": 0}, {}),
        ({"seen_items_max": 1}, {}),
        ({"exclude_seen": False}, {}),
        ({"half_lives_s": (60.0,)}, {}),
        ({}, {"duplicate_window": 0}),
    ],
)
def test_every_accepted_setting_gives_full_lists(
    model: dict[str, object], events: dict[str, int]
) -> None:
    engine = opened(ModelSettings(**model), **events)
    records = records_of(made_up_events(500, n_users=4, n_items=240))
    result = engine.process([Run(0, records)], 7)[0]
    assert len(result.published) == 500
    message = json.loads(result.published[-1].value)
    items = [entry["item"] for entry in message["items"]]
    n_expected = min(model.get("list_length", 10), len(engine.items.ids))
    assert len(items) == len(set(items)) <= n_expected
    assert len(items) >= min(10, n_expected)


def test_list_of_a_hundred_is_full_and_without_repeats() -> None:
    engine = opened(ModelSettings())
    engine.process([Run(0, records_of(made_up_events(900, n_items=240)))], 7)
    listed = engine.recommend(0, "u1", 100, 2e9)
    assert len(listed.items) == len(set(listed.items.tolist())) == 100
    assert np.all(np.diff(listed.scores) <= 0)
