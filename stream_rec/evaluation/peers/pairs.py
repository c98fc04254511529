"""Weights between pairs of items, all of them kept: rows as long as the log can make them.

    neighbour[start[i] : start[i] + length[i]]     the items that item i has a weight to
    weight[…]                                      those weights

The log is known beforehand, so an upper bound of every row is counted first and nothing has to grow
or to be given up while it runs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.peers.full_ranking import Events
from stream_rec.evaluation.peers.histories import Histories, empty_histories, push
from stream_rec.kernels.jit import allocating_kernel


class Pairs(NamedTuple):
    """Rows of N items with room for P pairs.

    Attributes
    ----------
    start : int64[N]
    length : int32[N]
    neighbour : int32[P]
    weight : float64[P]
    """

    start: NDArray[np.int64]
    length: NDArray[np.int32]
    neighbour: NDArray[np.int32]
    weight: NDArray[np.float64]


def empty_pairs(events: Events, n_users: int, n_items: int, window: int) -> Pairs:
    """Allocate rows for every pair that a log can bring within `window` of each other."""
    n_pairs = np.zeros(n_items, np.int64)
    _count_pairs(events, empty_histories(n_users, window), n_pairs)
    room = np.minimum(n_pairs, n_items)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(room)])
    return Pairs(
        start=start[:-1],
        length=np.zeros(n_items, np.int32),
        neighbour=np.zeros(start[-1], np.int32),
        weight=np.zeros(start[-1]),
    )


@allocating_kernel
def add_weight(pairs: Pairs, i: int, j: int, weight: float) -> None:
    """Add to the weight from item `i` to item `j`."""
    start, end = pairs.start[i], pairs.start[i] + pairs.length[i]
    for place in range(start, end):
        if pairs.neighbour[place] == j:
            pairs.weight[place] += weight
            return
    pairs.neighbour[end] = j
    pairs.weight[end] = weight
    pairs.length[i] += 1


@allocating_kernel
def _count_pairs(events: Events, histories: Histories, n_pairs: NDArray[np.int64]) -> None:
    for e in range(len(events.item)):
        if not events.is_positive[e]:
            continue
        user, item = events.user[e], events.item[e]
        for r in range(histories.length[user]):
            n_pairs[histories.item[user, r]] += 1
            n_pairs[item] += 1
        push(histories, user, item)
