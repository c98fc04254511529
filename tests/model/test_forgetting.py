"""A user who asks for it is forgotten: afterwards it is as if somebody new had come."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_rec import Recommender
from stream_rec.config import EventSettings
from stream_rec.errors import InvalidEventError
from stream_rec.model.events import FORGET, EventDecoder
from stream_rec.model.ids import hash_id
from stream_rec.model.rows import ITEM, ITEM_TYPE, PROFILE, row_key
from stream_rec.model.runs import Run
from tests.model.logs import FakeRecord, made_up_events, records_of
from tests.model.test_engine_recovery import Store, links

N_EVENTS = 120
USERS = [f"u{number}" for number in range(20)]
forgets = st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, N_EVENTS)), max_size=8)
repeats = st.lists(st.tuples(st.integers(0, N_EVENTS - 1), st.integers(0, 10)), max_size=20)
"""Events, and how much later they come once more."""


def forget_record(offset: int, user: str) -> FakeRecord:
    value = json.dumps({"user": user, "type": FORGET}).encode()
    return FakeRecord(offset, user.encode(), value, 1_700_000_000_000)


def user_of(n: int) -> str:
    return made_up_events(N_EVENTS)[n].user


def log_with(
    wanted: list[tuple[str, int]], repeated: list[tuple[int, int]] = ()
) -> list[FakeRecord]:
    """Return made-up events with requests to forget a user before the n-th of them.

    Those that are repeated come once more before the n-th, or at the end.
    """
    events = records_of(made_up_events(N_EVENTS))
    records: list[FakeRecord] = []
    for n in range(N_EVENTS + 1):
        now = [events[again] for again, later in repeated if min(again + 1 + later, N_EVENTS) == n]
        now += [forget_record(0, user) for user, before in wanted if before == n]
        now += events[n : n + 1]
        records += [record._replace(offset=len(records) + x) for x, record in enumerate(now)]
    return records


def renamed(records: list[FakeRecord]) -> list[FakeRecord]:
    """Return the same log, where a forgotten user comes back under another name instead."""
    names: dict[bytes, int] = {}
    changed = []
    for record in records:
        assert record.key is not None
        assert record.value is not None
        event = json.loads(record.value)
        if event["type"] == FORGET:
            names[record.key] = names.get(record.key, 0) + 1
            changed.append(record._replace(value=b"nothing"))
            continue
        user = event["user"] + "'" * names.get(record.key, 0)
        value = json.dumps(event | {"user": user}).encode()
        changed.append(record._replace(key=user.encode(), value=value))
    return changed


def folded(records: list[FakeRecord], n_partitions: int = 1) -> Store:
    store = Store()
    engine = store.engine(n_partitions=n_partitions)
    engine.process([Run(0, records)], 7)
    store.write(engine.freeze(0))
    return store


def present(store: Store) -> dict[bytes, bytes]:
    return {key: row for key, row in store.profiles.items() if row is not None}


@given(wanted=forgets, repeated=repeats, n_partitions=st.integers(1, 2))
def test_forgotten_user_comes_back_as_somebody_new(
    wanted: list[tuple[str, int]], repeated: list[tuple[int, int]], n_partitions: int
) -> None:
    records = log_with(wanted, repeated)
    store, oracle = folded(records, n_partitions), folded(renamed(records), n_partitions)
    assert store.items == oracle.items
    times = {user: sum(user == other for other, _ in wanted) for user in USERS}
    last_names = {user: user + "'" * n for user, n in times.items()}
    expected = {
        row_key(PROFILE, hash_id(user)): oracle.profiles[row_key(PROFILE, hash_id(name))]
        for user, name in last_names.items()
        if row_key(PROFILE, hash_id(name)) in oracle.profiles
    }
    assert present(store) == expected
    forgotten = {row_key(PROFILE, hash_id(user)) for user, _ in wanted}
    assert {key for key, row in store.profiles.items() if row is None} == forgotten - set(expected)


@given(
    wanted=forgets,
    repeated=repeats,
    cut=st.integers(1, N_EVENTS),
    n_profiles=st.integers(0, 20) | st.none(),
)
@example(wanted=[(user_of(10), 25)], repeated=[(10, 10)], cut=27, n_profiles=20)
def test_replay_around_a_forgetting_counts_nothing_twice_and_brings_nobody_back(
    wanted: list[tuple[str, int]],
    repeated: list[tuple[int, int]],
    cut: int,
    n_profiles: int | None,
) -> None:
    records = log_with(wanted, repeated)
    expected, store = folded(records), Store()
    engine = store.engine()
    engine.process([Run(0, records[: cut // 2])], 7)
    store.write(engine.freeze(0))
    engine.process([Run(0, records[cut // 2 : cut])], 7)
    store.write(engine.freeze(0), None, n_profiles or 0)
    store.watermark = cut // 2 - 1
    engine = store.engine()
    engine.process([Run(0, records[cut // 2 :])], 7)
    store.write(engine.freeze(0))
    assert links(store) == links(expected)
    assert taken(store) == taken(expected)
    assert present(store) == present(expected)


@given(wanted=forgets, repeated=repeats, first=st.integers(0, N_EVENTS))
def test_replay_of_what_is_durable_changes_nothing(
    wanted: list[tuple[str, int]], repeated: list[tuple[int, int]], first: int
) -> None:
    records = log_with(wanted, repeated)
    engine = folded(records).engine()
    engine.process([Run(0, records[first:])], 7)
    assert engine.n_dirty(0) == 0


def taken(store: Store) -> dict[bytes, int]:
    counted_at = ITEM_TYPE.fields["taken"][1]
    return {
        key: int.from_bytes(row[counted_at : counted_at + 8], "little")
        for key, row in store.items.items()
        if key[:1] == ITEM
    }


def test_forgetting_is_published_as_a_tombstone() -> None:
    engine = Store().engine()
    event = records_of(made_up_events(1))[0]
    user = event.key.decode()
    result = engine.process([Run(0, [event, forget_record(1, user)])], 7)[0]
    assert [published.value is None for published in result.published] == [False, True]
    assert result.published[1].key == event.key


def test_removal_waits_in_memory_until_it_is_frozen() -> None:
    store = folded(records_of(made_up_events(N_EVENTS)))
    engine = store.engine()
    engine.process([Run(0, [forget_record(N_EVENTS, "u1")])], 7)
    engine.recommend(0, "u1", 3, 1_700_000_000.0)
    assert row_key(PROFILE, hash_id("u1")) in dict(engine.freeze(0).profiles)
    assert engine.n_dirty(0) == 0


def test_forget_needs_a_user_and_its_key() -> None:
    decoder = EventDecoder(EventSettings())
    with pytest.raises(InvalidEventError, match="key_mismatch"):
        decoder.from_record(b'{"user": "ann", "type": "forget"}', b"bob", 0)
    with pytest.raises(InvalidEventError, match="missing_field"):
        decoder.from_record(b'{"type": "forget"}', b"bob", 0)
    with pytest.raises(InvalidEventError, match="missing_field"):
        decoder.from_record(b'{"user": "ann", "type": "click"}', b"ann", 0)


def test_no_configuration_defines_the_type() -> None:
    with pytest.raises(ValueError, match="asks to be forgotten"):
        EventSettings(types={"forget": {"weight": 1}})


def test_library_forgets() -> None:
    recommender = Recommender()
    recommender.learn_one({"user": "ann", "item": "alien", "type": "like", "ts": 1})
    recommender.learn_one({"user": "ann", "type": "forget"})
    assert [entry.item for entry in recommender.recommend("ann", 1)] == ["alien"]
