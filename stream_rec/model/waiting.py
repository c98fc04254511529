"""Items whose view is older than their rows, in the order in which they began to wait."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from stream_rec.model.growing import extended


class WaitingItems:
    """A queue of item slots that holds each once.

    Parameters
    ----------
    n_slots : int
    """

    def __init__(self, n_slots: int) -> None:
        self._waits: NDArray[np.bool_] = np.zeros(n_slots, np.bool_)
        self._queue: deque[NDArray[np.int64]] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._queue))

    def lengthen(self, n_slots: int) -> None:
        """Follow the number of item slots as it grows."""
        self._waits = extended(self._waits, n_slots)

    def add(self, slots: NDArray[np.integer]) -> None:
        """Let items wait that do not yet; each must be named once."""
        new = slots[~self._waits[slots]].astype(np.int64)
        self._waits[new] = True
        if len(new):
            self._queue.append(new)

    def take(self, n_most: int) -> NDArray[np.int64]:
        """Take the items that have waited longest, at most so many."""
        taken: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        while self._queue and n_most > 0:
            first = self._queue.popleft()
            if len(first) > n_most:
                self._queue.appendleft(first[n_most:])
                first = first[:n_most]
            n_most -= len(first)
            taken.append(first)
        items = np.concatenate(taken)
        self._waits[items] = False
        return items
