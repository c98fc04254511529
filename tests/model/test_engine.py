"""The engine as a deterministic fold: same events, same bytes, whatever the batches."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.freezing import Frozen
from stream_rec.model.runs import Run, RunResult
from tests.model.logs import FakeRecord, made_up_events, records_of

SMALL = ModelSettings(links_per_item_max=8, history_length=12, seen_items_max=1000)


def engine_of(n_partitions: int = 1, model: ModelSettings = SMALL, **arguments: object) -> Engine:
    return Engine(
        model, EventSettings(), source_topic="events", n_partitions=n_partitions, **arguments
    )


def opened(n_partitions: int = 1, **arguments: object) -> Engine:
    engine = engine_of(n_partitions, **arguments)
    for partition in range(n_partitions):
        engine.open_partition(partition)
    return engine


def lists_of(result: RunResult) -> list[dict]:
    return [json.loads(published.value) for published in result.published]


def contents(frozen: Frozen) -> dict[bytes, bytes]:
    return dict(frozen.items) | dict(frozen.profiles)


def test_same_events_give_the_same_bytes() -> None:
    records = records_of(made_up_events(400))
    one, other = opened(), opened()
    assert one.process([Run(0, records)], 7)[0] == other.process([Run(0, records)], 7)[0]
    assert one.freeze(0) == other.freeze(0)


@given(cuts=st.lists(st.integers(1, 199), max_size=8))
def test_batch_boundaries_change_nothing(cuts: list[int]) -> None:
    records = records_of(made_up_events(200))
    whole, cut = opened(), opened()
    expected = whole.process([Run(0, records)], 7)[0].published
    bounds = [0, *sorted(set(cuts)), 200]
    published = []
    for start, end in pairwise(bounds):
        published += cut.process([Run(0, records[start:end])], 7)[0].published
    assert published == expected
    assert contents(cut.freeze(0)) == contents(whole.freeze(0))


def test_every_accepted_event_gets_one_full_list_once_ten_items_are_known() -> None:
    events = made_up_events(600, n_users=3, n_items=12)
    messages = lists_of(opened().process([Run(0, records_of(events))], 7)[0])
    assert len(messages) == len(events)
    liked: set[str] = set()
    for event, message in zip(events, messages, strict=True):
        if event.type == "click":
            liked.add(event.item)
        items = [entry["item"] for entry in message["items"]]
        assert min(10, len(liked)) <= len(items) == len(set(items)) <= 10


def test_list_leaves_out_what_the_user_has_seen_while_enough_is_unseen() -> None:
    events = made_up_events(500, n_users=5, n_items=80)
    seen: dict[str, set[str]] = {}
    for event, message in zip(
        events, lists_of(opened().process([Run(0, records_of(events))], 7)[0]), strict=True
    ):
        seen.setdefault(event.user, set()).add(event.item)
        known = set().union(*seen.values())
        if len(known - seen[event.user]) >= 10:
            assert not {entry["item"] for entry in message["items"]} & seen[event.user]


def test_message_names_its_source_event() -> None:
    records = records_of(made_up_events(30), first_offset=100)
    result = opened().process([Run(0, records)], 1234)[0]
    message = json.loads(result.published[-1].value)
    assert message["source"] == {
        "topic": "events",
        "partition": 0,
        "offset": 129,
        "ts": records[-1].timestamp / 1000,
    }
    assert message["generated_at"] == 1234
    assert result.published[-1].key == message["user"].encode()


def test_reason_names_an_item_of_the_users_history() -> None:
    events = made_up_events(500)
    taken: dict[str, set[str]] = {}
    n_named = 0
    for event, message in zip(
        events, lists_of(opened().process([Run(0, records_of(events))], 7)[0]), strict=True
    ):
        taken.setdefault(event.user, set()).add(event.item)
        for entry in message["items"]:
            for reason in entry["reasons"]:
                if "because" in reason:
                    n_named += 1
                    assert reason["because"] in taken[event.user]
    assert n_named > 500


def test_duplicate_event_id_of_one_user_is_dropped_and_counted() -> None:
    events = made_up_events(50)
    doubled = [event for event in events for _ in range(2)]
    once, twice = opened(), opened()
    expected = once.process([Run(0, records_of(events))], 7)[0]
    result = twice.process([Run(0, records_of(doubled))], 7)[0]
    assert result.n_duplicates == 50
    assert len(result.published) == len(expected.published) == 50
    assert np.array_equal(once.items.view.rows.taken, twice.items.view.rows.taken)
    assert np.array_equal(once.users.rows.n_distinct, twice.users.rows.n_distinct)


def test_refused_records_are_named_by_place_and_change_nothing() -> None:
    good = records_of(made_up_events(20))
    bad = [
        FakeRecord(3, b"u1", b"{", 0),
        FakeRecord(8, b"u1", b'{"user":"u2","item":"i","type":"click"}', 0),
    ]
    mixed = sorted([record for record in good if record.offset not in (3, 8)] + bad)
    without, with_bad = opened(), opened()
    expected = without.process([Run(0, [r for r in mixed if r not in bad])], 7)[0]
    result = with_bad.process([Run(0, mixed)], 7)[0]
    assert [(r.place, r.code) for r in result.refused] == [(3, "not_json"), (8, "key_mismatch")]
    assert result.published == expected.published


def test_watermark_covers_refused_records_too() -> None:
    engine = opened()
    engine.process([Run(0, [FakeRecord(41, b"u", None, 0)])], 7)
    assert engine.freeze(0).offset == 41


def test_freeze_returns_what_changed_since_the_last_freeze() -> None:
    engine = opened()
    records = records_of(made_up_events(100))
    engine.process([Run(0, records[:99])], 7)
    assert engine.n_dirty(0) > 0
    engine.freeze(0)
    assert engine.n_dirty(0) == 0
    assert engine.freeze(0) == Frozen(0, 98, [], [])
    engine.process([Run(0, records[99:])], 7)
    assert len(engine.freeze(0).profiles) == 1


def test_late_events_count_at_their_own_time() -> None:
    on_time = [Event(user=f"u{x}", item="old", type="click", ts=1e9 + x) for x in range(30)]
    recent = [
        Event(user=f"v{x}", item="new", type="click", ts=1e9 + 864_000 + x) for x in range(20)
    ]
    in_order, late = opened(), opened()
    in_order.process([Run(0, records_of(on_time + recent))], 7)
    late.process([Run(0, records_of(recent + on_time))], 7)
    new = late.items.ids.slot("new")
    old = late.items.ids.slot("old")
    popularity = late.items.view.rows.popularity
    assert popularity[new, 0] > popularity[old, 0]
    order = [in_order.items.ids.slot("old"), in_order.items.ids.slot("new")]
    assert popularity[[old, new]] == pytest.approx(
        in_order.items.view.rows.popularity[order], abs=1e-9
    )


def test_rejected_item_recommends_nothing_any_more() -> None:
    events = [
        Event(user=f"u{x}", item=item, type="click", ts=1e9 + x)
        for x in range(20)
        for item in ("a", "b")
    ]
    engine = opened()
    engine.process(
        [Run(0, records_of([*events, Event(user="me", item="a", type="click", ts=2e9)]))], 7
    )
    assert engine.users.rows.n_history[engine.users.slots([(0, [_hash("me")])])[0]] == 1
    rejection = records_of([Event(user="me", item="a", type="dislike", ts=2e9)], len(events) + 1)
    engine.process([Run(0, rejection)], 7)
    assert engine.users.rows.n_history[engine.users.slots([(0, [_hash("me")])])[0]] == 0


def _hash(user: str) -> int:
    from stream_rec.model.ids import hash_id

    return hash_id(user)
