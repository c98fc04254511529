"""What of the view is solved from its rows: implicit factors and sparse linear models of items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.ridge import Crowd
from stream_rec.kernels.slim import solve_next, solve_slim
from stream_rec.kernels.workspace import Workspace
from stream_rec.model.factors import N_SOLVES_ANEW, solve_items
from stream_rec.model.items import Items
from stream_rec.model.waiting import WaitingItems

TURN_ITEMS = 8
"""One for so many items whose rows were summed is solved anew whose turn it is."""


class Solver:
    """Solves for items whose rows were summed anew; those that an event changes, the fold does.

    A sparse linear model needs the rows of its neighbours, so none is solved while any waits to be
    summed, and now and then another gets its turn.

    Parameters
    ----------
    items : Items
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self._waiting = WaitingItems(items.size)

    @property
    def n_waiting(self) -> int:
        """Items whose sparse linear model is still to be looked at."""
        return len(self._waiting)

    def solve_anew(self, slots: NDArray[np.int64], crowd: Crowd, workspace: Workspace) -> None:
        """Solve all of items as for the first time; their neighbours' rows must be summed."""
        view, hashes = self._items.view, self._items.ids.hashes
        solve_items(view, crowd, slots, hashes, N_SOLVES_ANEW, workspace)
        solve_slim(view.rows, view.slim, slots, True, workspace)

    def follow(
        self, slots: NDArray[np.int64], n_most: int | None, crowd: Crowd, workspace: Workspace
    ) -> None:
        """Bring items up to date whose rows were summed; of sparse models at most so many."""
        view, hashes = self._items.view, self._items.ids.hashes
        solve_items(view, crowd, slots, hashes, 1, workspace)
        self._waiting.lengthen(self._items.size)  # which may have grown since
        self._waiting.add(slots)
        if self._items.n_waiting == 0:
            taken = self._waiting.take(self.n_waiting if n_most is None else n_most)
            solve_slim(view.rows, view.slim, taken, False, workspace)
            solve_next(view.rows, view.slim, -(-len(taken) // TURN_ITEMS), workspace)
