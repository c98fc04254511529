"""Freezing: the rows of a partition that changed, encoded, a part at a time.

Events go on being folded between two parts, so rows are of different moments. That is allowed as
long as no profile is newer than what it implies, for every row skips what it already holds when
events are folded again (fold.py):

1. all profiles, in the first part, of the moment that the watermark names: one that was frozen
   later might be of a user who was forgotten meanwhile, so that what it knew of repeated events
   would be gone while these may come again
2. the item rows that have changed by then, so many at a time
3. the weights; while events are folded again they may hold later ones than all else does
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
    """Everything of a partition that changed since the last time, encoded.

    Attributes
    ----------
    partition : int
    offset : int
        Of the last event that all rows hold: the watermark that this makes durable.
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
        Item rows in a part.
    """
    profiles = users.freeze(partition)
    if profiles:
        yield FrozenRows([], profiles)
    any_items = False
    for rows in items.freeze_in_parts(partition, rows_max):
        yield FrozenRows(rows, [])
        any_items = True
    if any_items:
        offset = max(folded[partition], int(weights.durable[partition][0]))
        yield FrozenRows([(WEIGHTS, weights.encode(partition, offset))], [])
