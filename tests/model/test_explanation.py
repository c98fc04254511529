"""An explanation is about the list that the user gets, and a silent source has no part in it."""

from __future__ import annotations

import numpy as np

from stream_rec.model.explanation import explain
from tests.model.logs import made_up_events
from tests.model.test_inquiry import entries, profile_of, taught


def test_the_explained_list_is_that_of_the_user() -> None:
    engine, inquiry = taught()
    now_s = inquiry.latest_s()
    listed = entries(engine, engine.recommend(0, "u3", 10, now_s))
    given = sorted(item for item, *_ in listed)
    found = explain(engine, inquiry, "u3", profile_of(engine, "u3"), given, now_s)
    explained = entries(engine, found.listed)
    assert [item for item, *_ in explained] == [item for item, *_ in listed]
    np.testing.assert_allclose([e[1] for e in explained], [e[1] for e in listed], rtol=1e-5)


def test_a_source_that_says_nothing_has_no_part() -> None:
    sparse = made_up_events(200, n_users=15, n_items=800)
    engine, inquiry = taught(events=sparse)
    given = engine.items.ids.texts
    found = explain(engine, inquiry, "u3", profile_of(engine, "u3"), given, inquiry.latest_s())
    expected = {"taken_together", "taken_next", "popular", "factors", "taste", "id_order"}
    assert expected <= set(found.sources)
    silent = {name: np.isneginf(spoken.says) for name, spoken in found.sources.items()}
    for name, spoken in found.sources.items():
        assert np.all(spoken.part[silent[name]] == 0.0)
    assert {"taken_together", "taken_next", "taste", "id_order"} <= {
        name for name in silent if silent[name].any()
    }
    for name in ("taken_together", "taste", "id_order"):
        assert np.any(found.sources[name].part != 0.0)


def test_explaining_leaves_the_list_as_it_was() -> None:
    engine, inquiry = taught()
    row, now_s = profile_of(engine, "u3"), inquiry.latest_s()
    before = entries(engine, inquiry.list_for_profile("u3", row, 10, now_s))
    explain(engine, inquiry, "u3", row, [item for item, *_ in before], now_s)
    assert entries(engine, inquiry.list_for_profile("u3", row, 10, now_s)) == before
