"""Events as columns, and what became of each: what the fold reads and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.config import EventType
from stream_rec.kernels.held import hold
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.model.arrays import doubled

FOLDED, DUPLICATE, REPLAYED, FLOOD = 0, 1, 2, 3
"""What became of an event; one of a flood taught nothing."""
FORGETS = 0
"""As weight of an event: it asks to forget its user."""
NOT_SCORED, NOT_PROPOSED = -2, -1
"""Instead of the rank of the item taken: it was not to be proposed; not among the candidates."""

FIRST_EVENTS = 64


def weights_of_types(types: Mapping[str, EventType]) -> dict[str, int]:
    """Return the weight of each type in units of 1/WEIGHT_UNIT, rounded to one at least.

    Examples
    --------
    >>> weights_of_types({"buy": EventType(weight=4.0), "glance": EventType(weight=0.001)})
    {'buy': 64, 'glance': 1}
    """
    return {
        name: round(kind.weight * WEIGHT_UNIT) or (1 if kind.weight > 0 else -1)
        for name, kind in types.items()
    }


class Batch(NamedTuple):
    """Events as columns of E entries: those of a partition one after the other, in offset order.

    Attributes
    ----------
    user, item : int32[E]
        Slots.
    time_s : float64[E]
    weight : int32[E]
        In units of 1/WEIGHT_UNIT; negative for rejections, `FORGETS` where the user is to be
        forgotten (then only user and offset count).
    value : float64[E]
        The rating, NaN where the event is none.
    event_id : uint64[E]
        Hash of the event id, 0 where there is none.
    offset : int64[E]
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time_s: NDArray[np.float64]
    weight: NDArray[np.int32]
    value: NDArray[np.float64]
    event_id: NDArray[np.uint64]
    offset: NDArray[np.int64]


class Outcome(NamedTuple):
    """What became of each event of a batch, E entries; lists of n.

    Attributes
    ----------
    status : uint8[E]
    rank : int32[E]
        Place of the item taken in the list as it stood before, from 0.
    expected : float32[E]
        The rating that was expected before, NaN where the event is no rating.
    item, because : int32[E, n]
        The refreshed list, and the item of the history that speaks most for each (−1: none).
    score : float32[E, n]
    reason : int8[E, n]
        Feature column of the source that speaks most for it.
    n_listed : int32[E]
    """

    status: NDArray[np.uint8]
    rank: NDArray[np.int32]
    expected: NDArray[np.float32]
    item: NDArray[np.int32]
    because: NDArray[np.int32]
    score: NDArray[np.float32]
    reason: NDArray[np.int8]
    n_listed: NDArray[np.int32]


class Buffers:
    """Room for the events of a call and for what becomes of them, held for kernels once.

    Parameters
    ----------
    list_length : int

    Attributes
    ----------
    batch : Batch, held
    outcome : Outcome, held
        What a kernel writes of the events that `fill` was given last.
    """

    def __init__(self, list_length: int) -> None:
        self._list_length = list_length
        self._make_room(FIRST_EVENTS)

    def fill(self, batch: Batch) -> None:
        """Take in the events of a call."""
        n_events, n_events_max = len(batch.user), len(self._batch.user)
        if n_events > n_events_max:
            self._make_room(doubled(n_events_max, n_events))
        room: Sequence[NDArray[Any]] = self._batch
        for place, column in enumerate(batch):
            room[place][:n_events] = column

    def outcome_of(self, n_events: int) -> Outcome:
        """Return what became of the first events, copied."""
        return Outcome._make(column[:n_events].copy() for column in self._outcome)

    def _make_room(self, n_events: int) -> None:
        self._batch = _empty_batch(n_events)
        self._outcome = _empty_outcome(n_events, self._list_length)
        self.batch, self.outcome = hold(self._batch), hold(self._outcome)


def _empty_batch(n_events: int) -> Batch:
    return Batch(
        user=np.zeros(n_events, np.int32),
        item=np.zeros(n_events, np.int32),
        time_s=np.zeros(n_events, np.float64),
        weight=np.zeros(n_events, np.int32),
        value=np.zeros(n_events, np.float64),
        event_id=np.zeros(n_events, np.uint64),
        offset=np.zeros(n_events, np.int64),
    )


def _empty_outcome(n_events: int, list_length: int) -> Outcome:
    return Outcome(
        status=np.zeros(n_events, np.uint8),
        rank=np.zeros(n_events, np.int32),
        expected=np.zeros(n_events, np.float32),
        item=np.zeros((n_events, list_length), np.int32),
        because=np.zeros((n_events, list_length), np.int32),
        score=np.zeros((n_events, list_length), np.float32),
        reason=np.zeros((n_events, list_length), np.int8),
        n_listed=np.zeros(n_events, np.int32),
    )
