"""Freezing: the rows of a partition that changed, encoded, a part at a time.

Events go on being folded between two parts, so rows are of different moments. That is allowed as
long as what a row implies is frozen after it, for every row skips what it already holds when events
are folded again (fold.py):

1. profiles: they hold events from behind the watermark, which was taken before the first of them
2. item rows that have changed by then: with every event that one of these profiles holds
3. the weights, likewise
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stream_rec.model.items import Items
from stream_rec.model.rows import WEIGHTS
from stream_rec.model.users import Users
from stream_rec.model.weights import Weights

ALL_ROWS = 2**31
"""More rows than there can be: one part of each kind."""


class FrozenRows(NamedTuple):
    """A part of what changed, as (key, row); None instead of a row removes it."""

    items: list[tuple[bytes, bytes]]
    profiles: list[tuple[bytes, bytes | None]]


class Frozen(NamedTuple):
    """Everything of a partition that changed since the last time, encoded, as of one moment.

    Attributes
    ----------
    partition : int
    offset : int
        Highest event offset folded in: the watermark that this makes durable.
    items, profiles : list of (key, row), None instead of a row removes it
    """

    partition: int
    offset: int
    items: list[tuple[bytes, bytes]]
    profiles: list[tuple[bytes, bytes | None]]


def freeze_in_parts(
    partition: int,
    items: Items,
    users: Users,
    weights: Weights,
    folded: Mapping[int, int],
    rows_max: int,
) -> Iterator[FrozenRows]:
    """Yield the changed rows of a partition in the order that the head of this module says.

    Parameters
    ----------
    partition : int
    items, users, weights
        What was frozen counts as unchanged.
    folded : mapping of int to int
        The highest offset folded in, now, by partition.
    rows_max : int
        Rows in a part.
    """
    for profiles in users.freeze_in_parts(partition, rows_max):
        yield FrozenRows([], profiles)
    any_items = False
    for rows in items.freeze_in_parts(partition, rows_max):
        yield FrozenRows(rows, [])
        any_items = True
    if any_items:
        yield FrozenRows([(WEIGHTS, weights.encode(partition, folded[partition]))], [])
