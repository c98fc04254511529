"""The engine at the edges of its configuration, where pools and columns are just large enough."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.links import block_places
from stream_rec.kernels.view import TOP_LENGTH
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.fold import link_places_of_event
from stream_rec.model.ids import hash_id
from stream_rec.model.inquiry import Inquiry
from stream_rec.model.rows import ITEM, ITEM_TYPE, WEIGHTS, WEIGHTS_TYPE
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
        ({"linked_candidates": 1, "candidates_max": 1}, {}),
        ({"linked_candidates": 200, "candidates_max": 20}, {}),
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


def test_who_has_had_all_of_the_most_popular_gets_what_is_left() -> None:
    """More than a sorted list has are behind them."""
    n_popular, n_items = TOP_LENGTH + 30, 4 * TOP_LENGTH
    events = [
        *(event_of(f"first-{item}", item) for item in range(n_items)),
        *(event_of(f"second-{item}", item) for item in range(n_popular)),
        *(event_of("reader", item) for item in range(n_popular)),
    ]
    (result,) = opened(ModelSettings()).process([Run(0, records_of(events))], 7)
    value = result.published[-1].value
    assert value is not None
    listed = [int(entry["item"]) for entry in json.loads(value)["items"]]
    assert len(listed) == ModelSettings().list_length
    assert min(listed) >= n_popular


def test_a_user_of_two_partitions_is_one_in_each() -> None:
    """As where a producer partitions otherwise than the others: nothing is taken for a replay."""
    engine = opened(ModelSettings(), n_partitions=2)
    engine.process([Run(0, records_of([event_of("ann", item) for item in range(9)]))], 7)
    engine.freeze(0)
    (result,) = engine.process(
        [Run(1, records_of([event_of("ann", item) for item in range(20, 23)]))], 7
    )
    slot = engine.items.ids.find("20")
    assert slot is not None
    assert (len(result.published), result.n_duplicates) == (3, 0)
    assert engine.items.own[1].taken[slot] == WEIGHT_UNIT
    assert [profile_offsets(engine, partition) for partition in (0, 1)] == [8, 2]


def test_rows_with_a_number_that_is_none_are_refused() -> None:
    """A NaN, once learned from, would be in everything, and it has no place on a curve."""
    engine = opened(ModelSettings())
    engine.process([Run(0, records_of(made_up_events(60, rated_share=0.5)))], 7)
    frozen = engine.freeze(0)
    item = next(x for x, (key, _) in enumerate(frozen.items) if key[:1] == ITEM)
    weights = next(x for x, (key, _) in enumerate(frozen.items) if key == WEIGHTS)
    for place, at in ((item, ITEM_TYPE.fields["bias"][1]), (weights, WEIGHTS_TYPE.itemsize)):
        key, row = frozen.items[place]
        damaged = row[:at] + np.float32(np.nan).tobytes() + row[at + 4 :]
        rows = [*frozen.items[:place], (key, damaged), *frozen.items[place + 1 :]]
        with pytest.raises(RowFormatError, match=f"expected numbers, came NaN, at key {key.hex()}"):
            opened_anew().open_partition(0, rows, frozen.offset)


@pytest.mark.parametrize("history_length", [1, 30])
def test_all_links_of_an_item_are_found_whatever_the_history_reaches(history_length: int) -> None:
    n_links = 600
    model = ModelSettings(history_length=history_length, links_per_item_max=n_links)
    engine = opened(model)
    events = [
        event
        for item in range(1, n_links + 1)
        for event in (event_of(f"user-{item}", 0), event_of(f"user-{item}", item))
    ]
    engine.process([Run(0, records_of(events))], 7)
    found = Inquiry(engine, model, EventSettings()).related("0", "similar")
    assert found is not None
    assert sorted(engine.items.ids.texts[item] for item in found.items) == sorted(
        str(item) for item in range(1, n_links + 1)
    )


def event_of(user: str, item: int) -> Event:
    return Event(user=user, item=str(item), type="click", ts=1_700_000_000.0)


def opened_anew() -> Engine:
    return Engine(ModelSettings(), EventSettings(), source_topic="events", n_partitions=1)


def profile_offsets(engine: Engine, partition: int) -> int:
    slot = engine.users.find(partition, hash_id("ann"))
    assert slot is not None
    return int(engine.users.rows.applied[slot])
