"""What is durable and what is replayed give together exactly what an uninterrupted fold gives."""

from __future__ import annotations

import json
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.freezing import Frozen
from stream_rec.model.rows import (
    ITEM,
    ITEM_TYPE,
    LINK_TYPE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    WEIGHTS,
    split,
)
from stream_rec.model.runs import Run
from tests.model.logs import FakeRecord, made_up_events, records_of

SMALL = ModelSettings(links_per_item_max=8, history_length=12)
N_EVENTS = 160
EXACT_COLUMNS = "taken", "first_s", "last_s", "popularity"


class Bounds(NamedTuple):
    """How close what is learned has to be; the values themselves reach 0.5, 0.3, 0.15, 2.8."""

    bias: float
    rating: float
    evidence: float
    crowd: float


SOLVED_ANEW = Bounds(0.2, 1e-6, 0.005, 0.05)
"""After a whole commit: implicit factors are solved anew from the same evidence."""
REPLAYED = Bounds(0.6, 0.1, 0.15, 1.5)
"""Twice the most that 400 crashes gave: a replayed step sees rows that are ahead of it."""


class Store:
    """Durable rows of one partition, as a dictionary."""

    def __init__(self) -> None:
        self.items: dict[bytes, bytes] = {}
        self.profiles: dict[bytes, bytes] = {}
        self.watermark = -1

    def write(
        self, frozen: Frozen, n_items: int | None = None, n_profiles: int | None = None
    ) -> None:
        """Write a frozen set, or the prefix that a crash leaves: items, profiles, watermark.

        A profile is removed after that.
        """
        self.items.update(frozen.items[:n_items])
        if n_items is None and n_profiles is None:
            self.profiles.update(frozen.profiles)
            self.watermark = frozen.offset
        elif n_items is None:
            written = frozen.profiles[:n_profiles]
            self.profiles.update((key, row) for key, row in written if row is not None)

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


def rated_records() -> list[FakeRecord]:
    return records_of(made_up_events(N_EVENTS, rated_share=0.3))


@cache
def uninterrupted(n_partitions: int = 1) -> Store:
    """Return what is durable after one fold of all events."""
    store = Store()
    engine = store.engine(n_partitions=n_partitions)
    engine.process([Run(0, rated_records())], 7)
    store.write(engine.freeze(0))
    return store


def assert_same_but_for_learning(
    store: Store, expected: Store, n_partitions: int, bounds: Bounds
) -> None:
    """Compare durable rows: what is counted bit for bit, what is learned within its bound."""
    assert store.items.keys() == expected.items.keys()
    assert counted(store.profiles) == counted(expected.profiles)
    for key, row in store.profiles.items():
        assert rating_of(row) == pytest.approx(rating_of(expected.profiles[key]), abs=bounds.rating)
    one, other = (each.engine(n_partitions=n_partitions) for each in (store, expected))
    rows, others = one.items.own[0], other.items.own[0]
    n = len(one.items.ids)
    order = [other.items.ids.slot(text) for text in one.items.ids.texts]
    for name in EXACT_COLUMNS:
        assert np.array_equal(getattr(rows, name)[:n], getattr(others, name)[order]), name
    assert np.array_equal(rows.evidence[:n, 0], others.evidence[order, 0])
    assert rows.evidence[:n] == pytest.approx(others.evidence[order], abs=bounds.evidence)
    assert rows.rating[:n] == pytest.approx(others.rating[order], abs=bounds.rating)
    assert rows.bias[:n] == pytest.approx(others.bias[order], abs=bounds.bias)
    assert links(store) == links(expected)
    learned, others_learned = one.weights.own[0], other.weights.own[0]
    assert np.array_equal(learned.ratings_seen, others_learned.ratings_seen)
    assert np.array_equal(learned.crowd.weight, others_learned.crowd.weight)
    assert learned.crowd.total == pytest.approx(others_learned.crowd.total, abs=bounds.crowd)


def rating_of(row: bytes) -> np.ndarray:
    return split(b"u", row, PROFILE_TYPE, PROFILE_PARTS)[1]


def counted(profiles: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return profile rows without what they learned from ratings."""
    start = PROFILE_TYPE.itemsize
    return {k: row[:start] + row[start + rating_of(row).nbytes :] for k, row in profiles.items()}


def links(store: Store) -> dict[bytes, bytes]:
    """Return the bytes of the links of every item row."""
    rows = {key: row for key, row in store.items.items() if key[:1] == ITEM}
    n_links = {
        key: int(np.frombuffer(row, ITEM_TYPE, 1)["n_links"][0]) for key, row in rows.items()
    }
    return {key: row[len(row) - n_links[key] * LINK_TYPE.itemsize :] for key, row in rows.items()}


@pytest.mark.parametrize("n_partitions", [1, 2])
@pytest.mark.parametrize("cut", [1, 80, 159])
def test_recovery_from_a_whole_commit_continues_as_if_nothing_had_been(
    cut: int, n_partitions: int
) -> None:
    records, store, expected = rated_records(), Store(), uninterrupted(n_partitions)
    engine = store.engine(n_partitions=n_partitions)
    engine.process([Run(0, records[:cut])], 7)
    store.write(engine.freeze(0))
    engine = store.engine(n_partitions=n_partitions)
    engine.process([Run(0, records[cut:])], 7)
    store.write(engine.freeze(0))
    assert_same_but_for_learning(store, expected, n_partitions, SOLVED_ANEW)
    if n_partitions == 1:
        assert store.profiles == expected.profiles, "ratings learn nothing from derived factors"


@given(
    first=st.integers(1, 70),
    second=st.integers(1, 70),
    n_items=st.integers(0, 40) | st.none(),
    n_profiles=st.integers(0, 20) | st.none(),
    n_partitions=st.integers(1, 2),
)
def test_replay_after_a_partial_commit_counts_nothing_twice(
    first: int, second: int, n_items: int | None, n_profiles: int | None, n_partitions: int
) -> None:
    records = rated_records()
    store = Store()
    engine = store.engine(n_partitions=n_partitions)
    engine.process([Run(0, records[:first])], 7)
    store.write(engine.freeze(0))
    engine.process([Run(0, records[first : first + second])], 7)
    store.write(engine.freeze(0), n_items, n_profiles)

    engine = store.engine(n_partitions=n_partitions)
    engine.process([Run(0, records[store.watermark + 1 :])], 7)
    store.write(engine.freeze(0))
    assert_same_but_for_learning(store, uninterrupted(n_partitions), n_partitions, REPLAYED)


def test_replayed_events_publish_their_lists_again() -> None:
    records = records_of(made_up_events(100))
    store = Store()
    engine = store.engine()
    engine.process([Run(0, records)], 7)
    store.write(engine.freeze(0), None, 10**6)
    assert store.watermark == -1
    result = store.engine().process([Run(0, records)], 7)[0]
    assert [p.offset for p in result.published] == list(range(100))
    assert result.n_duplicates == 0


def test_weights_that_are_ahead_do_not_learn_the_replayed_events() -> None:
    records = records_of(made_up_events(200))
    store = Store()
    engine = store.engine()
    engine.process([Run(0, records)], 7)
    frozen = engine.freeze(0)
    store.write(frozen, len(frozen.items))
    replaying = store.engine()
    replaying.process([Run(0, records)], 7)
    assert (
        dict(replaying.freeze(0).items).get(WEIGHTS, store.items[WEIGHTS]) == store.items[WEIGHTS]
    )


def test_bounded_memory_of_profiles_changes_nothing() -> None:
    records = records_of(made_up_events(400, n_users=60, rated_share=0.3))
    roomy, tight = Store(), Store()
    engine = roomy.engine()
    engine.process([Run(0, records)], 7)
    roomy.write(engine.freeze(0))
    engine = tight.engine(model=SMALL.model_copy(update={"users_in_memory_max": 8}))
    most = 0
    for start in range(0, 400, 5):
        engine.process([Run(0, records[start : start + 5])], 7)
        tight.write(engine.freeze(0))
        most = max(most, len(engine.users))
    assert most <= 8
    assert tight.profiles == roomy.profiles
    assert tight.items.keys() == roomy.items.keys()
    assert {k: v for k, v in tight.items.items() if k != WEIGHTS} == {
        k: v for k, v in roomy.items.items() if k != WEIGHTS
    }


def test_closed_partition_leaves_nothing_behind() -> None:
    records = records_of(made_up_events(200))
    store = Store()
    engine = store.engine()
    engine.process([Run(0, records)], 7)
    engine.close_partition(0)
    engine.open_partition(0)
    again = engine.process([Run(0, records)], 7)[0]
    fresh = Store().engine().process([Run(0, records)], 7)[0]
    assert [json.loads(p.value)["items"] for p in again.published] == [
        json.loads(p.value)["items"] for p in fresh.published
    ]
