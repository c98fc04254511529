"""Events that are folded between the parts of a freeze are neither lost nor counted twice."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.model.engine import Engine
from stream_rec.model.freezing import Frozen
from stream_rec.model.ids import hash_id
from stream_rec.model.rows import PROFILE, row_key
from stream_rec.model.runs import Run
from tests.model.logs import FakeRecord
from tests.model.test_engine_recovery import (
    REPLAYED,
    Store,
    assert_same_but_for_learning,
    links,
    rated_records,
    uninterrupted,
)
from tests.model.test_forgetting import (
    N_EVENTS,
    folded,
    forget_record,
    forgets,
    log_with,
    present,
    taken,
)

EVERYTHING = 10**6


def freeze_while_folding(
    engine: Engine, records: list[FakeRecord], rows_max: int, n_between: int
) -> Frozen:
    """Freeze in parts, with so many of the records between two of them."""
    frozen, n_folded = Frozen(0, records[0].offset - 1, [], []), 0
    for part in engine.freeze_in_parts(0, rows_max):
        assert len(part.items) <= rows_max
        frozen.items.extend(part.items)
        frozen.profiles.extend(part.profiles)
        engine.process([Run(0, records[n_folded : n_folded + n_between])], 7)
        n_folded += n_between
    return frozen


@given(
    wanted=forgets,
    first=st.integers(1, N_EVENTS - 20),
    rows_max=st.integers(1, 30),
    n_between=st.integers(1, 10),
    n_items=st.integers(0, 40) | st.none(),
    n_profiles=st.integers(0, 20) | st.just(EVERYTHING) | st.none(),
)
def test_a_crash_after_a_freeze_with_events_between_its_parts_changes_nothing(
    wanted: list[tuple[str, int]],
    first: int,
    rows_max: int,
    n_between: int,
    n_items: int | None,
    n_profiles: int | None,
) -> None:
    records, store = log_with(wanted), Store()
    expected = folded(records)
    engine = store.engine()
    engine.process([Run(0, records[:first])], 7)
    store.write(
        freeze_while_folding(engine, records[first:], rows_max, n_between), n_items, n_profiles
    )
    engine = store.engine()
    engine.process([Run(0, records[store.watermark + 1 :])], 7)
    store.write(engine.freeze(0))
    assert links(store) == links(expected)
    assert taken(store) == taken(expected)
    assert present(store) == present(expected)


def test_weights_that_are_ahead_for_two_commits_do_not_learn_twice() -> None:
    records, store, expected = rated_records(), Store(), uninterrupted()
    engine = store.engine()
    engine.process([Run(0, records[:80])], 7)
    store.write(freeze_while_folding(engine, records[80:], 10, 3))
    assert store.watermark == 79
    engine = store.engine()
    engine.process([Run(0, records[80:100])], 7)  # not as far as the weights are
    store.write(engine.freeze(0))
    engine = store.engine()
    engine.process([Run(0, records[100:])], 7)
    store.write(engine.freeze(0))
    assert_same_but_for_learning(store, expected, 1, REPLAYED)


def test_a_request_to_be_forgotten_between_two_parts_leaves_what_was_known_of_repeated_events() -> (
    None
):
    known = [clicked(0, "a", "x", "e1"), clicked(1, "b", "y", "e2")]
    later = [clicked(2, "a", "x", "e1"), forget_record(3, "a"), clicked(4, "b", "z", "e3")]
    store, engine = Store(), Store().engine()
    engine.process([Run(0, known)], 7)
    store.write(freeze_while_folding(engine, later, 1, 2))
    engine = store.engine()
    engine.process([Run(0, later)], 7)
    store.write(engine.freeze(0))
    assert taken(store) == taken(folded(known + later))
    assert row_key(PROFILE, hash_id("a")) not in present(store)


def clicked(offset: int, user: str, item: str, event_id: str) -> FakeRecord:
    event = {"user": user, "item": item, "type": "click", "ts": 1.7e9 + offset}
    value = json.dumps(event | {"event_id": event_id}).encode()
    return FakeRecord(offset, user.encode(), value, 1_700_000_000_000)
