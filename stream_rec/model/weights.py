"""What partitions learned beside their rows, and the sum: the start value plus all steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.ranker import RankerWeights
from stream_rec.kernels.ridge import Crowd
from stream_rec.model.learned import Learned
from stream_rec.model.rows import (
    VERSION,
    WEIGHTS,
    WEIGHTS_PARTS,
    WEIGHTS_TYPE,
    check_version,
    split,
)


class Weights:
    """What the open partitions learned, and the view over it.

    Parameters
    ----------
    start : Learned
        The state before any event; the same for all partitions.
    separate : bool
        Whether the view is kept apart from the partitions' own.

    Attributes
    ----------
    view : Learned
    own, followed : dict of int to Learned
        Of the partitions that this process owns, and of those whose changelog it follows.
    durable : dict of int to int64[1]
        Event offset up to which a partition had learned on recovery.
    """

    def __init__(self, start: Learned, *, separate: bool) -> None:
        self._start = start
        self._separate = separate
        self.view = _copy(start)
        self.own: dict[int, Learned] = {}
        self.followed: dict[int, Learned] = {}
        self._waits = False
        self.durable: dict[int, NDArray[np.int64]] = {}

    def open_partition(self, partition: int) -> None:
        """Begin with the start value."""
        self.close_partition(partition)
        self.own[partition] = _copy(self._start) if self._separate else self.view
        self.durable[partition] = np.full(1, NO_OFFSET, np.int64)

    def close_partition(self, partition: int) -> None:
        """Forget what a partition learned."""
        for part in (self.own, self.followed, self.durable):
            part.pop(partition, None)
        self.sum_up()

    def follow_partition(self, partition: int) -> None:
        """Begin to follow a partition: from what it learned here if it was owned."""
        learned = self.own.get(partition)
        self.close_partition(partition)
        self.followed[partition] = _copy(self._start) if learned is None else learned
        self.sum_up()

    def stage(self, partition: int, value: bytes | None) -> None:
        """Set what a followed partition learned as its changelog has it; None is nothing.

        Raises
        ------
        RowFormatError
        """
        if value is None:
            self.followed[partition] = _copy(self._start)
        else:
            _read(self.followed[partition], value)
        self._waits = True

    def refresh(self) -> None:
        """Compute the view anew if something was set since the last time."""
        if self._waits:
            self.sum_up()

    def sum_up(self) -> None:
        """Compute the view anew from all partitions, in their order."""
        self._waits = False
        if not self._separate:
            if not self.own:
                self.view = _copy(self._start)
            return
        for target, start in zip(_arrays(self.view), _arrays(self._start), strict=True):
            target[...] = start
        for _, learned in sorted((self.own | self.followed).items()):
            for target, part, start in zip(
                _arrays(self.view), _arrays(learned), _arrays(self._start), strict=True
            ):
                target += part - start

    def encode(self, partition: int, offset: int) -> bytes:
        """Return the row of what a partition learned up to `offset`."""
        weights, sums = _flat(self.own[partition])
        head = np.zeros(1, WEIGHTS_TYPE)
        head["version"], head["applied"] = VERSION, offset
        head["n_weights"], head["n_sums"] = len(weights), len(sums)
        return head.tobytes() + weights.astype("<f4").tobytes() + sums.astype("<f8").tobytes()

    def load(self, partition: int, value: bytes) -> None:
        """Set what a partition learned from its row.

        Raises
        ------
        RowFormatError
            Among others where the configuration has other features or factors than the row was
            written with.
        """
        self.durable[partition][0] = _read(self.own[partition], value)
        self._waits = True


def _arrays(learned: Learned) -> Iterator[NDArray[Any]]:
    yield from learned.ranker
    yield from learned.crowd
    yield learned.ratings_seen


def _flat(learned: Learned) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return all float32 numbers, then all float64 numbers."""
    weights = [array.reshape(-1) for array in _arrays(learned) if array.dtype == np.float32]
    sums = [array.reshape(-1) for array in _arrays(learned) if array.dtype == np.float64]
    return np.concatenate(weights), np.concatenate(sums)


def _read(learned: Learned, value: bytes) -> int:
    """Set what was learned from its row; return the event offset up to which it was."""
    check_version(WEIGHTS, value)
    head, weights, sums = split(WEIGHTS, value, WEIGHTS_TYPE, WEIGHTS_PARTS)
    expected = tuple(len(values) for values in _flat(learned))
    if (len(weights), len(sums)) != expected:
        raise RowFormatError(
            f"expected {expected} weights and sums, came {(len(weights), len(sums))}; set "
            "model.half_lives_s and model.n_factors as they were, or rebuild the model from "
            "the event log under another app_id"
        )
    _fill((array for array in _arrays(learned) if array.dtype == np.float32), weights)
    _fill((array for array in _arrays(learned) if array.dtype == np.float64), sums)
    return int(head["applied"][0])


def _fill(arrays: Iterator[NDArray[Any]], numbers: NDArray[Any]) -> None:
    at = 0
    for array in arrays:
        array[...] = numbers[at : at + array.size].reshape(array.shape)
        at += array.size


def _copy(learned: Learned) -> Learned:
    return Learned(
        RankerWeights(*(array.copy() for array in learned.ranker)),
        Crowd(*(array.copy() for array in learned.crowd)),
        learned.ratings_seen.copy(),
    )
