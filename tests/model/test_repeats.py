"""What users take again is proposed and learned where seen items are not excluded, only there."""

from __future__ import annotations

import numpy as np

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.model.batch import NOT_SCORED, Outcome
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import EventRun, Run
from tests.model.links import link_counts
from tests.model.logs import made_up_events, records_of

N_BACK = 3
WITH_REPEATS = ModelSettings(exclude_seen=False, links_per_item_max=8)


def opened(model: ModelSettings, n_partitions: int = 1) -> Engine:
    engine = Engine(model, EventSettings(), source_topic="events", n_partitions=n_partitions)
    engine.open_partition(0)
    return engine


def who_return(n_users: int, n_items: int = 200) -> list[Event]:
    """Return events of users who each take N_BACK items, then again and again the oldest one.

    Only the place in the history tells which: every user's items are drawn at random, and all
    happens at one moment.
    """
    random = np.random.default_rng(0)
    events: list[Event] = []
    for u in range(n_users):
        items = random.permutation(n_items)[:N_BACK].tolist()
        for item in items * 3:
            events.append(Event(user=f"u{u}", item=f"i{item}", type="click", ts=1_700_000_000.0))
    return events


def folded(engine: Engine, events: list[Event]) -> Outcome:
    return engine.fold([EventRun(0, events, range(len(events)))], publish=False)


def is_repeat(events: list[Event]) -> np.ndarray:
    pairs = [(event.user, event.item) for event in events]
    return np.array([pair in pairs[:x] for x, pair in enumerate(pairs)])


def test_place_in_the_history_is_learned_as_what_is_taken_next() -> None:
    events = who_return(80)
    rank = folded(opened(WITH_REPEATS), events).rank
    repeats = is_repeat(events)
    last = repeats & (np.arange(len(events)) > 0.75 * len(events))
    assert (rank[last] == 0).mean() > 0.95
    assert (rank[repeats] >= 0).all(), "the history is always proposed"


def test_a_repeat_teaches_nothing_where_seen_items_are_excluded() -> None:
    events = who_return(2)
    n_first = int(np.argmax(is_repeat(events)))
    engine = opened(ModelSettings())
    folded(engine, events[:n_first])
    before = [array.copy() for array in engine.weights.view.ranker]
    repeats = events[n_first : 3 * N_BACK]
    outcome = engine.fold([EventRun(0, repeats, range(n_first, 3 * N_BACK))], publish=True)
    assert set(outcome.rank.tolist()) == {NOT_SCORED}
    assert all(map(np.array_equal, engine.weights.view.ranker, before))


def test_weights_of_the_place_stay_at_their_start_where_seen_items_are_excluded() -> None:
    engine = opened(ModelSettings())
    start = [array.copy() for array in engine.weights.view.ranker]
    folded(engine, made_up_events(200))
    ranker, place = engine.weights.view.ranker, engine.weights.view.ranker.linear.shape[2] - 1
    first = type(ranker)(*start)
    for name, columns in (("linear", 2), ("curve", 1), ("hidden", 0)):
        for each in (name, f"{name}_squares"):
            now, then = getattr(ranker, each), getattr(first, each)
            assert np.array_equal(now.take(place, columns), then.take(place, columns))
            assert not np.array_equal(now, then)


def test_rows_are_read_whether_seen_items_are_excluded_or_not() -> None:
    events = made_up_events(120)
    for before in (True, False):
        model = WITH_REPEATS.model_copy(update={"exclude_seen": before})
        engine = opened(model, n_partitions=2)
        engine.process([Run(0, records_of(events))], 0)
        frozen = engine.freeze(0)
        other = Engine(
            model.model_copy(update={"exclude_seen": not before}),
            EventSettings(),
            source_topic="events",
            n_partitions=2,
            read_profiles=lambda _, keys, rows=dict(frozen.profiles): [rows[key] for key in keys],
        )
        other.open_partition(0, frozen.items, frozen.offset)
        for loaded, saved in zip(
            other.weights.own[0].ranker, engine.weights.own[0].ranker, strict=True
        ):
            assert np.array_equal(loaded, saved)


def test_what_is_taken_again_hardly_counts_as_taken_by_one_more() -> None:
    click = {"user": "ann", "type": "click", "ts": 1_700_000_000.0}
    engine = opened(ModelSettings())
    folded(engine, [Event(item=item, **click) for item in ("tea", "cup", "tea", "tea")])
    near, wide, _ = link_counts(engine)["tea", "cup"]
    assert near == 3 * WEIGHT_UNIT
    assert wide == WEIGHT_UNIT + 2
