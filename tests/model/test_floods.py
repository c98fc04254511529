"""A flood of one user's events changes nobody else's lists, and is a flood after a crash, too."""

from __future__ import annotations

import numpy as np

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.batch import DUPLICATE, FLOOD, FOLDED
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import EventRun, Run
from tests.model.logs import made_up_events, records_of

BURST_MAX = 10
SETTINGS = ModelSettings(links_per_item_max=8, history_length=6, user_burst_max=BURST_MAX)
BEFORE = made_up_events(100)
END_S = 1_700_000_000.0 + 60.0 * 100


def flood(n: int, kind: str = "click") -> list[Event]:
    """Return a bot's events, four a second, on few items of which half are its own."""
    return [
        Event(
            user="bot",
            item=f"bot{x % 8}" if x % 2 else f"i{x % 8}",
            type=kind,
            value=9.0 if kind == "rating" else None,
            ts=END_S + x / 4,
            event_id=f"b{x}",
        )
        for x in range(n)
    ]


def engine_after(events: list[Event], model: ModelSettings = SETTINGS) -> tuple[Engine, list[int]]:
    """Return an engine that has folded events, and the status of each."""
    engine = Engine(model, EventSettings(), source_topic="events", n_partitions=1)
    engine.open_partition(0)
    outcome = engine.fold([EventRun(0, events, range(len(events)))], publish=True)
    return engine, outcome.status.tolist()


def test_what_comes_after_the_burst_is_a_flood() -> None:
    _, status = engine_after(BEFORE + flood(40))
    assert status[100:] == [FOLDED] * BURST_MAX + [FLOOD] * 30


def test_who_never_sends_so_much_is_never_held_back() -> None:
    _, status = engine_after(BEFORE)
    assert set(status) == {FOLDED}


def test_floods_are_counted_and_have_lists() -> None:
    engine = Engine(SETTINGS, EventSettings(), source_topic="events", n_partitions=1)
    engine.open_partition(0)
    (result,) = engine.process([Run(0, records_of(BEFORE + flood(40)))], 0)
    assert result.n_floods == 30
    assert len(result.published) == 140


def test_a_repeated_event_is_no_part_of_a_burst() -> None:
    repeated = flood(1)[0]
    _, status = engine_after([repeated] * 30)
    assert status == [FOLDED] + [DUPLICATE] * 29


def test_flood_teaches_nothing_but_its_users_profile() -> None:
    """All columns of items and weights stay, but when items were seen and which rows to write."""
    for kind in ("click", "rating", "dislike"):
        few, _ = engine_after(BEFORE + flood(BURST_MAX, kind))
        many, _ = engine_after(BEFORE + flood(60, kind))
        assert many.items.ids.texts == few.items.ids.texts
        n = len(few.items.ids)
        for name in ("taken", "popularity", "bias", "bias_squares", "rating", "evidence"):
            few_rows, many_rows = (getattr(e.items.view.rows, name)[:n] for e in (few, many))
            assert np.array_equal(few_rows, many_rows), (kind, name)
        for one, other in zip(few.items.view.rows.links, many.items.view.rows.links, strict=True):
            size = min(len(one), len(other))
            assert np.array_equal(one[:size], other[:size]), kind
        for one, other in zip(few.weights.view.hits, many.weights.view.hits, strict=True):
            assert np.array_equal(one, other), kind
        for one, other in zip(few.weights.view.ranker, many.weights.view.ranker, strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(few.weights.view.crowd.gram, many.weights.view.crowd.gram)
        assert many.weights.view.ratings_seen[0] == few.weights.view.ratings_seen[0]


def test_flooding_user_is_listed_what_the_flood_says() -> None:
    engine, _ = engine_after(BEFORE + flood(60))
    n = len(BEFORE) + 60
    last = Event(user="bot", item="i7", type="click", ts=END_S + 16, event_id="last")
    engine.fold([EventRun(0, [last], [n])], publish=True)
    listed = engine.recommend(0, "bot", 10, END_S + 17).items
    seen = {engine.items.ids.slot(event.item) for event in [*flood(60), last]}
    assert not seen & set(listed.tolist())


def test_flood_goes_on_where_it_was_recovered() -> None:
    profiles: dict[bytes, bytes | None] = {}
    events = BEFORE + flood(60)
    first, _ = engine_after(events[:120])
    frozen = first.freeze(0)
    profiles.update(frozen.profiles)
    second = Engine(
        SETTINGS,
        EventSettings(),
        source_topic="events",
        n_partitions=1,
        read_profiles=lambda _, keys: [profiles.get(key) for key in keys],
    )
    second.open_partition(0, frozen.items, 119)
    outcome = second.fold([EventRun(0, events[120:], range(120, 160))], publish=True)
    assert set(outcome.status.tolist()) == {FLOOD}
