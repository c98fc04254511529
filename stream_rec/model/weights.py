"""What partitions learned beside their rows, and the sum: the start value plus all steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.ranker import N_ADDED, RankerWeights
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

Arrays = list[NDArray[Any]]


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
            _read(self.followed[partition], self._start, value)
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
        weights, sums = map(_concatenate, _parts(self.own[partition], VERSION))
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
        self.durable[partition][0] = _read(self.own[partition], self._start, value)
        self._waits = True


def _arrays(learned: Learned) -> Iterator[NDArray[Any]]:
    yield from learned.ranker
    yield from learned.crowd
    yield learned.ratings_seen


def _parts(learned: Learned, version: int) -> tuple[Arrays, Arrays]:
    """Return what a row of a format version holds, in its order: float32 parts, float64 parts."""
    ranker = learned.ranker
    kept = [*(ranker if version > 1 else _without_added(ranker)), *learned.crowd]
    kept.append(learned.ratings_seen)
    return (
        [array for array in kept if array.dtype == np.float32],
        [array for array in kept if array.dtype == np.float64],
    )


def _without_added(ranker: RankerWeights) -> Arrays:
    """Return views of what there was in format 1; the context's rows follow the features'."""
    n_features = ranker.linear.shape[2]
    n_first = n_features - N_ADDED
    return [
        ranker.linear[:, :, :n_first],
        ranker.linear_squares[:, :, :n_first],
        ranker.hidden[:n_first],
        ranker.hidden[n_features:],
        ranker.hidden_squares[:n_first],
        ranker.hidden_squares[n_features:],
        ranker.output,
        ranker.output_squares,
    ]


def _concatenate(arrays: Arrays) -> NDArray[Any]:
    return np.concatenate([array.reshape(-1) for array in arrays])


def _read(learned: Learned, start: Learned, value: bytes) -> int:
    """Set what was learned from its row, the start where the row has nothing; return its offset."""
    check_version(WEIGHTS, value)
    head, weights, sums = split(WEIGHTS, value, WEIGHTS_TYPE, WEIGHTS_PARTS)
    parts = _parts(learned, int(head["version"][0]))
    expected = tuple(sum(array.size for array in arrays) for arrays in parts)
    if (len(weights), len(sums)) != expected:
        raise RowFormatError(
            f"expected {expected} weights and sums, came {(len(weights), len(sums))}; set "
            "model.half_lives_s and model.n_factors as they were, or rebuild the model from "
            "the event log under another app_id"
        )
    for array, first in zip(_arrays(learned), _arrays(start), strict=True):
        array[...] = first
    for arrays, numbers in zip(parts, (weights, sums), strict=True):
        _fill(arrays, numbers)
    return int(head["applied"][0])


def _fill(arrays: Arrays, numbers: NDArray[Any]) -> None:
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
