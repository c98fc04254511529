"""What one partition, or the sum over partitions, knows of each item: columns over item slots.

Everything in a row is an additive statistic (docs/adr/0001): counts are integers in fixed point,
decayed popularity is a forward-decayed sum, links are integer counts, and what is learned by
gradient is kept as start value plus the sum of all steps. So the view of several partitions is the
sum of their rows, and the same kernels fold an event into either.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.decay import add_log2, decayed_weight
from stream_rec.kernels.jit import kernel
from stream_rec.kernels.links import LinkRows, empty_link_rows

WEIGHT_UNIT = 16
"""An event of weight 1 counts this many units, so that weights in steps of 1/16 stay integers."""
NO_ITEM = -1
"""Where a slot would stand, if there were one."""
NO_OFFSET = -1
"""The offset before the first one."""
BIAS_SQUARES_START = 0.1
"""Where Adagrad's sum of squares of an item bias starts."""


class ItemRows(NamedTuple):
    """Columns over N item slots; H finite half-lives, F factors.

    Attributes
    ----------
    taken : int64[N]
        Weight of all positive events, in units of 1/WEIGHT_UNIT.
    first_s, last_s : float64[N]
        Event time of the first and the last event, in seconds; +inf and −inf before any.
    popularity : float64[N, H]
        Log2 of the forward-decayed weight for each half-life.
    bias, bias_squares : float32[N]
        The ranker's bias of an item and Adagrad's sum of squared gradients.
    rating : float32[N, F + 1]
        Bias and factors of explicit ratings; all 0 before the first rating.
    evidence : float32[N, F + 1]
        Sufficient statistics of the item's implicit factor.
    links : LinkRows
    applied : int64[N]
        Highest event offset folded into the row.
    durable : int64[N]
        `applied` as found on recovery: events up to it are in the row already.
    dirty : uint8[N]
        1 where the row changed since it was last frozen.
    named : uint8[N]
        1 where the item's id has been frozen, so that whoever reads the rows knows it.
    """

    taken: NDArray[np.int64]
    first_s: NDArray[np.float64]
    last_s: NDArray[np.float64]
    popularity: NDArray[np.float64]
    bias: NDArray[np.float32]
    bias_squares: NDArray[np.float32]
    rating: NDArray[np.float32]
    evidence: NDArray[np.float32]
    links: LinkRows
    applied: NDArray[np.int64]
    durable: NDArray[np.int64]
    dirty: NDArray[np.uint8]
    named: NDArray[np.uint8]


OWN_COLUMNS = tuple(name for name in ItemRows._fields if name != "links")


def empty_item_rows(
    n_items: int, n_half_lives: int, n_factors: int, n_link_places: int, links_max: int
) -> ItemRows:
    """Allocate rows of items that nobody has seen."""
    return ItemRows(
        taken=np.zeros(n_items, np.int64),
        first_s=np.full(n_items, np.inf),
        last_s=np.full(n_items, -np.inf),
        popularity=np.full((n_items, n_half_lives), -np.inf),
        bias=np.zeros(n_items, np.float32),
        bias_squares=np.full(n_items, BIAS_SQUARES_START, np.float32),
        rating=np.zeros((n_items, n_factors + 1), np.float32),
        evidence=np.zeros((n_items, n_factors + 1), np.float32),
        links=empty_link_rows(n_items, n_link_places, links_max),
        applied=np.full(n_items, NO_OFFSET, np.int64),
        durable=np.full(n_items, NO_OFFSET, np.int64),
        dirty=np.zeros(n_items, np.uint8),
        named=np.zeros(n_items, np.uint8),
    )


@kernel
def touch(rows: ItemRows, item: int, offset: int) -> None:
    """Note that an event changed a row."""
    rows.applied[item] = max(rows.applied[item], offset)
    rows.dirty[item] = 1


@kernel
def is_empty(rows: ItemRows, item: int) -> bool:
    """Say whether a row holds nothing: neither seen nor biased, be it by events or as a sum."""
    return bool(
        rows.applied[item] == NO_OFFSET
        and rows.first_s[item] == np.inf
        and rows.bias_squares[item] == np.float32(BIAS_SQUARES_START)
    )


@kernel
def see_item(rows: ItemRows, item: int, time_s: float) -> None:
    """Widen the span of time in which an item has been seen, by late events at its early end."""
    rows.first_s[item] = min(rows.first_s[item], time_s)
    rows.last_s[item] = max(rows.last_s[item], time_s)


@kernel
def count_item(
    rows: ItemRows, item: int, time_s: float, weight: int, half_lives_s: NDArray[np.float64]
) -> None:
    """Add one positive event of an item to its count and to its popularity at every half-life.

    Parameters
    ----------
    rows : ItemRows
        Modified in place.
    weight : int
        In units of 1/WEIGHT_UNIT, positive.
    half_lives_s : float64[H]
    """
    rows.taken[item] += weight
    log2_weight = np.log2(weight / WEIGHT_UNIT)
    for h in range(len(half_lives_s)):
        added = log2_weight + decayed_weight(time_s, half_lives_s[h])
        rows.popularity[item, h] = add_log2(rows.popularity[item, h], added)
