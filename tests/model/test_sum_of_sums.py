"""Partitions may be summed in groups first, and the groups then: the view is the same.

That is what an aggregation topic would do (docs/scaling.md): whoever follows it holds one row an
item instead of one for each partition.
"""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.model.engine import Engine
from stream_rec.model.item_codec import encode_ids, encode_items
from stream_rec.model.rows import WEIGHTS
from tests.model.logs import made_up_events
from tests.model.test_engine_partitions import ROOMY, arrays_of, fold_in_partitions
from tests.model.test_following import Rows, assert_same_view, new_engine

N_PARTITIONS = 6
FOLDED = made_up_events(200, rated_share=0.2, n_users=12, n_items=24)


def changelogs() -> list[Rows]:
    """Return the committed item rows of each partition."""
    engine = fold_in_partitions(FOLDED, N_PARTITIONS)
    return [list(engine.freeze(partition).items) for partition in range(N_PARTITIONS)]


def follow(parts: list[Rows]) -> Engine:
    engine = new_engine(read_only=True, model=ROOMY)
    for number, rows in enumerate(parts):
        engine.follow_partition(number)
        engine.apply_foreign(number, rows)
    return engine


def sum_of(parts: list[Rows]) -> Rows:
    """Return the sum of some partitions in the form of the rows of one."""
    engine = follow(parts)
    items, weights = engine.items, engine.weights
    # A row may hold a bias alone: of an item that was ranked here and never taken.
    slots = np.unique(np.concatenate([rows.slots for rows in items.followed.values()] or [[]]))
    slots = slots.astype(np.int64)
    named = encode_ids(items.ids, slots[items.ids.is_named[slots]])
    weights.own[0] = weights.view
    return [
        *named,
        *encode_items(items.view.rows, items.ids, slots),
        (WEIGHTS, weights.encode(0, 0)),
    ]


@pytest.mark.parametrize("groups", [(0, 0, 1, 1, 2, 2), (2, 0, 1, 0, 2, 0), (0, 1, 1, 1, 1, 1)])
def test_sum_of_sums_is_the_sum(groups: tuple[int, ...]) -> None:
    parts = changelogs()
    direct = follow(parts)
    members = [[rows for rows, g in zip(parts, groups, strict=True) if g == x] for x in range(3)]
    grouped = follow([sum_of(each) for each in members])
    assert_same_view(grouped, direct, 1e-4)
    for one, other in zip(
        arrays_of(grouped.weights.view), arrays_of(direct.weights.view), strict=True
    ):
        assert one == pytest.approx(other, abs=1e-4)
