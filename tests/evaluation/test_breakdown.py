"""Laws of groups: each scored event is in one of each kind, told from before the event."""

from __future__ import annotations

import numpy as np

from stream_rec.evaluation.breakdown import groups_of
from stream_rec.logs import LogRow
from tests.evaluation.logs import columns_of, made_up_rows


def test_every_scored_event_is_in_one_group_of_each_kind() -> None:
    log = columns_of(made_up_rows(400))
    groups = groups_of(log)
    for kind in ("user history", "item age", "time"):
        members = np.array([group.members for group in groups if group.kind == kind])
        assert members.shape[1] == log.is_scored.sum()
        assert (members.sum(axis=0) == 1).all()
        assert members.any(axis=1).all()


def test_groups_are_told_from_before_the_event() -> None:
    times_s = [1000, 1000, 1000 + 3599, 1000 + 86400, 1000 + 40 * 86400]
    log = columns_of(
        [LogRow(f"u{x}", "film", "click", ts_ms=1000 * s) for x, s in enumerate(times_s)]
    )
    ages = {g.name: np.flatnonzero(g.members).tolist() for g in groups_of(log) if "age" in g.kind}
    assert ages == {
        "never seen before": [0],
        "under an hour": [1, 2],
        "under a week": [3],
        "older": [4],
    }
    histories = [group.name for group in groups_of(log) if group.kind == "user history"]
    assert histories == ["first event"]


def test_windows_are_equal_spans_of_time() -> None:
    log = columns_of(
        [LogRow("u", f"i{s}", "click", ts_ms=1000 * s) for s in (0, 9, 10, 55, 99, 100)]
    )
    windows = [np.flatnonzero(g.members).tolist() for g in groups_of(log) if g.kind == "time"]
    assert windows == [[0, 1], [2], [3], [4, 5]]
