"""What is durable and what is replayed give together exactly what an uninterrupted fold gives."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine, Frozen
from stream_rec.model.rows import ITEM, WEIGHTS
from tests.model.logs import FakeRecord, made_up_events, records_of

SMALL = ModelSettings(links_per_item_max=8, history_length=12)
GRADIENT_BOUND = 0.6
"""What is learned by gradient is equal within bounds only, because replayed gradients see rows that are ahead."""


class Store:
    """Durable rows of one partition, as a dictionary."""

    def __init__(self) -> None:
        self.items: dict[bytes, bytes] = {}
        self.profiles: dict[bytes, bytes] = {}
        self.watermark = -1

    def write(
        self, frozen: Frozen, n_items: int | None = None, n_profiles: int | None = None
    ) -> None:
        """Write a frozen set, or only a prefix of it as a crash would leave it: items first, then profiles, then the watermark."""
        self.items.update(frozen.items[:n_items])
        if n_items is None:
            self.profiles.update(frozen.profiles[:n_profiles])
            if n_profiles is None:
                self.watermark = frozen.offset

    def engine(
        self, partition: int = 0, n_partitions: int = 1, model: ModelSettings = SMALL
    ) -> Engine:
        """Start an engine that recovers from what is durable."""
        engine = Engine(
            model,
            EventSettings(),
            source_topic="events",
            n_partitions=n_partitions,
            read_profiles=lambda _, keys: [self.profiles.get(key) for key in keys],
        )
        engine.open_partition(partition, self.items.items(), self.watermark)
        return engine


def uninterrupted(records: list[FakeRecord]) -> Store:
    store = Store()
    engine = store.engine()
    engine.process(0, records, 7)
    store.write(engine.freeze(0))
    return store


def assert_equal_but_for_gradients(one: Store, other: Store) -> None:
    """Compare two stores row by row; what is learned by gradient only has to be close."""
    assert one.profiles == other.profiles
    assert one.items.keys() == other.items.keys()
    left, right = one.engine(), other.engine()
    rows, others = left.items.view.rows, right.items.view.rows
    n = len(left.items.ids)
    order = [right.items.ids.slot(text) for text in left.items.ids.texts]
    for name in ("count", "first_s", "last_s", "popularity"):
        assert np.array_equal(getattr(rows, name)[:n], getattr(others, name)[order]), name
    assert rows.bias[:n] == pytest.approx(others.bias[order], abs=GRADIENT_BOUND)
    assert {k: _links(v) for k, v in one.items.items() if k[:1] == ITEM} == {
        k: _links(v) for k, v in other.items.items() if k[:1] == ITEM
    }


def _links(row: bytes) -> bytes:
    """Return the bytes of an item row's links."""
    from stream_rec.model.rows import ITEM_TYPE

    head = np.frombuffer(row, ITEM_TYPE, 1)
    return row[
        ITEM_TYPE.itemsize + 8 * int(head["n_popularity"][0]) + 4 * int(head["n_evidence"][0]) :
    ]


def test_recovery_from_a_whole_commit_continues_as_if_nothing_had_been() -> None:
    records = records_of(made_up_events(300))
    expected = uninterrupted(records)
    store = Store()
    engine = store.engine()
    engine.process(0, records[:150], 7)
    store.write(engine.freeze(0))
    engine = store.engine()
    engine.process(0, records[150:], 7)
    store.write(engine.freeze(0))
    assert_equal_but_for_gradients(store, expected)


@given(
    first=st.integers(1, 100),
    second=st.integers(1, 100),
    n_items=st.integers(0, 40) | st.none(),
    n_profiles=st.integers(0, 20) | st.none(),
)
def test_replay_after_a_partial_commit_counts_nothing_twice(
    first: int, second: int, n_items: int | None, n_profiles: int | None
) -> None:
    records = records_of(made_up_events(240))
    store = Store()
    engine = store.engine()
    engine.process(0, records[:first], 7)
    store.write(engine.freeze(0))
    engine.process(0, records[first : first + second], 7)
    store.write(engine.freeze(0), n_items, n_profiles)

    engine = store.engine()
    engine.process(0, records[store.watermark + 1 :], 7)
    store.write(engine.freeze(0))
    assert_equal_but_for_gradients(store, uninterrupted(records))


def test_replayed_events_publish_their_lists_again() -> None:
    records = records_of(made_up_events(100))
    store = Store()
    engine = store.engine()
    engine.process(0, records, 7)
    store.write(engine.freeze(0), None, 10**6)
    assert store.watermark == -1
    result = store.engine().process(0, records, 7)
    assert [p.offset for p in result.published] == list(range(100))
    assert result.n_duplicates == 0


def test_weights_that_are_ahead_do_not_learn_the_replayed_events() -> None:
    records = records_of(made_up_events(200))
    store = Store()
    engine = store.engine()
    engine.process(0, records, 7)
    frozen = engine.freeze(0)
    store.write(frozen, len(frozen.items))
    replaying = store.engine()
    replaying.process(0, records, 7)
    assert (
        dict(replaying.freeze(0).items).get(WEIGHTS, store.items[WEIGHTS]) == store.items[WEIGHTS]
    )


def test_bounded_memory_of_profiles_changes_nothing() -> None:
    records = records_of(made_up_events(400, n_users=60))
    expected = uninterrupted(records)
    store = Store()
    tight = SMALL.model_copy(update={"users_in_memory_max": 8})
    engine = store.engine(model=tight)
    most = 0
    for start in range(0, 400, 5):
        engine.process(0, records[start : start + 5], 7)
        store.write(engine.freeze(0))
        most = max(most, len(engine.users))
    assert most <= 8
    assert store.profiles == expected.profiles
    assert store.items.keys() == expected.items.keys()
    assert {k: v for k, v in store.items.items() if k != WEIGHTS} == {
        k: v for k, v in expected.items.items() if k != WEIGHTS
    }


def test_closed_partition_leaves_nothing_behind() -> None:
    records = records_of(made_up_events(200))
    store = Store()
    engine = store.engine()
    engine.process(0, records, 7)
    engine.close_partition(0)
    engine.open_partition(0)
    again = engine.process(0, records, 7)
    fresh = Store().engine().process(0, records, 7)
    assert [json.loads(p.value)["items"] for p in again.published] == [
        json.loads(p.value)["items"] for p in fresh.published
    ]
