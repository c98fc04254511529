"""Events that are folded between the parts of a freeze are neither lost nor counted twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.model.engine import Engine
from stream_rec.model.freezing import Frozen
from stream_rec.model.runs import Run
from tests.model.logs import FakeRecord
from tests.model.test_engine_recovery import Store, links
from tests.model.test_forgetting import (
    N_EVENTS,
    folded,
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
