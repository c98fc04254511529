"""The ranker's weights per partition, and their sum: the start value plus the steps of all partitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.ranker import RankerWeights
from stream_rec.model.rows import VERSION, WEIGHTS, WEIGHTS_TYPE, check_version, split


class Weights:
    """Weights of the open partitions and the view over them.

    Parameters
    ----------
    start : RankerWeights
        The value before any event; the same for all partitions.
    separate : bool
        Whether the view is kept apart from the partitions' own.

    Attributes
    ----------
    view : RankerWeights
    own : dict of int to RankerWeights
    durable : dict of int to int64[1]
        Event offset up to which the weights had learned on recovery.
    """

    def __init__(self, start: RankerWeights, *, separate: bool) -> None:
        self._start = start
        self._separate = separate
        self.view = _copy(start)
        self.own: dict[int, RankerWeights] = {}
        self.durable: dict[int, NDArray[np.int64]] = {}

    def open_partition(self, partition: int) -> None:
        """Begin with the start value."""
        self.own[partition] = _copy(self._start) if self._separate else self.view
        self.durable[partition] = np.full(1, NO_OFFSET, np.int64)

    def close_partition(self, partition: int) -> None:
        """Forget a partition's steps."""
        del self.own[partition], self.durable[partition]
        self.sum_up()

    def sum_up(self) -> None:
        """Compute the view anew from the open partitions, in partition order."""
        if not self._separate:
            if not self.own:
                self.view = _copy(self._start)
            return
        for x, (target, start) in enumerate(zip(self.view, self._start, strict=True)):
            target[:] = start
            for partition in sorted(self.own):
                target += self.own[partition][x] - start

    def encode(self, partition: int, offset: int) -> bytes:
        """Return the row of a partition's weights, which have learned up to `offset`."""
        numbers = np.concatenate([array.reshape(-1) for array in self.own[partition]])
        head = np.zeros(1, WEIGHTS_TYPE)
        head["version"], head["applied"], head["n_weights"] = VERSION, offset, len(numbers)
        return head.tobytes() + numbers.astype("<f4").tobytes()

    def load(self, partition: int, value: bytes) -> None:
        """Set a partition's weights from their row.

        Raises
        ------
        RowFormatError
            Among others where the configuration has other features than the row was written with.
        """
        check_version(WEIGHTS, value)
        head, numbers = split(WEIGHTS, value, WEIGHTS_TYPE, [("n_weights", "<f4")])
        own = self.own[partition]
        expected = sum(array.size for array in own)
        if len(numbers) != expected:
            raise RowFormatError(
                f"expected {expected} ranker weights, came {len(numbers)}; set model.half_lives_s as it was, or rebuild "
                "the model from the event log under another app_id"
            )
        at = 0
        for array in own:
            array[...] = numbers[at : at + array.size].reshape(array.shape)
            at += array.size
        self.durable[partition][0] = head["applied"][0]


def _copy(weights: RankerWeights) -> RankerWeights:
    return RankerWeights(*(array.copy() for array in weights))
