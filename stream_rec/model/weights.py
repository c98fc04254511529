"""What partitions learned beside their rows, and the sum: the start value plus all steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.adaptive_window import AdaptiveWindow
from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.newton import WINDOW_EVENTS
from stream_rec.kernels.ranker import SQUARES_START, RankerWeights, columns_of_format
from stream_rec.kernels.ridge import Crowd
from stream_rec.kernels.workspace import N_CONTEXT
from stream_rec.model.learned import Learned
from stream_rec.model.rows import (
    VERSION,
    WEIGHTS,
    WEIGHTS_PARTS,
    WEIGHTS_TYPE,
    check_version,
    refuse_nan,
    split,
)

Part = tuple[NDArray[Any], Any]
"""An array, and the index of what a row has of it."""


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
        for target, start in zip(_summed(self.view), _summed(self._start), strict=True):
            target[...] = start
        for _, learned in sorted((self.own | self.followed).items()):
            for target, part, start in zip(
                _summed(self.view), _summed(learned), _summed(self._start), strict=True
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


def _summed(learned: Learned) -> Iterator[NDArray[Any]]:
    """Yield what adds up over partitions."""
    yield from learned.ranker
    yield from learned.crowd
    yield learned.ratings_seen


def _arrays(learned: Learned) -> Iterator[NDArray[Any]]:
    yield from _summed(learned)
    yield from learned.hits


def _parts(learned: Learned, version: int) -> tuple[list[Part], list[Part]]:
    """Return what a row of a format version holds, in its order: float32 parts, float64 parts."""
    others = [*learned.crowd, learned.ratings_seen, *(learned.hits if version > 3 else ())]
    kept = [*_ranker_parts(learned.ranker, version), *((array, ...) for array in others)]
    return (
        [(array, where) for array, where in kept if array.dtype == np.float32],
        [(array, where) for array, where in kept if array.dtype == np.float64],
    )


def _ranker_parts(ranker: RankerWeights, version: int) -> list[Part]:
    n_features = ranker.linear.shape[2]
    columns = columns_of_format(n_features, version)
    rows = columns_of_format(n_features, version, N_CONTEXT)
    where: dict[str, Any] = {"linear": np.s_[:, :, columns], "hidden": rows, "output": ...}
    if version > 1:
        where["curve"] = np.s_[:, columns]
    if version > 4:
        both = np.concatenate([columns, n_features + columns])
        upper, right = np.triu_indices(len(both))
        where["curvature"] = both[upper], both[right]
    return [
        (array, where[name.removesuffix("_squares")])
        for name, array in ranker._asdict().items()
        if name.removesuffix("_squares") in where
    ]


def _concatenate(parts: list[Part]) -> NDArray[Any]:
    return np.concatenate([array[where].reshape(-1) for array, where in parts])


def _read(learned: Learned, start: Learned, value: bytes) -> int:
    """Set what was learned from its row, the start where the row has nothing; return its offset."""
    check_version(WEIGHTS, value)
    head, weights, sums = split(WEIGHTS, value, WEIGHTS_TYPE, WEIGHTS_PARTS)
    parts = _parts(learned, int(head["version"][0]))
    expected = tuple(sum(array[where].size for array, where in part) for part in parts)
    if (len(weights), len(sums)) != expected:
        raise RowFormatError(
            f"expected {expected} weights and sums, came {(len(weights), len(sums))}; set "
            "model.half_lives_s and model.n_factors as they were, or rebuild the model from "
            "the event log under another app_id"
        )
    for numbers in (weights, sums):
        refuse_nan([WEIGHTS], numbers)
    for array, first in zip(_arrays(learned), _arrays(start), strict=True):
        array[...] = first
    for part, numbers in zip(parts, (weights, sums), strict=True):
        _fill(part, numbers)
    if int(head["version"][0]) < 5:
        _begin_curvature(learned.ranker)
    return int(head["applied"][0])


def _begin_curvature(ranker: RankerWeights) -> None:
    """Let Newton's steps go on from the sums of squares that an older build kept.

    These never faded, so they may stand for many more events than the steps look back on.
    """
    squares = ranker.linear_squares[0]
    kept = (squares.ravel() - SQUARES_START).astype(np.float64)
    kept *= min(1.0, WINDOW_EVENTS / max(kept.max(), 1.0))
    np.fill_diagonal(ranker.curvature, kept)
    squares[...] = SQUARES_START


def _fill(parts: list[Part], numbers: NDArray[Any]) -> None:
    at = 0
    for array, where in parts:
        shape, size = array[where].shape, array[where].size
        array[where] = numbers[at : at + size].reshape(shape)
        at += size


def _copy(learned: Learned) -> Learned:
    return Learned(
        RankerWeights._make(array.copy() for array in learned.ranker),
        Crowd(*(array.copy() for array in learned.crowd)),
        learned.ratings_seen.copy(),
        AdaptiveWindow(*(array.copy() for array in learned.hits)),
    )
