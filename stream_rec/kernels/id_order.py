"""What stands beside the user's last item in the order of ids.

Ids are seldom drawn by lot. Numbers are given in turn, so what came into the catalogue together
stands together; variants of an article share all but the end of theirs; paths and slugs begin with
the section. So items beside each other in that order are alike, and it is known of an item as soon
as its id is, when nobody has taken it together with anything yet. Ids that are drawn by lot only
cost a few candidates: the ranker learns that their order says nothing.

    x = NEAREST / √d        d = 1 for the next item on either side, 2 for the one behind it, …

and 0 beyond BESIDE_STEPS. Counted in items, not in numbers, it does not depend on how wide the gaps
are.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.kernels.jit import inner_kernel, spliced_kernel, widen
from stream_rec.kernels.view import ItemView, is_listed
from stream_rec.kernels.workspace import BESIDE_STEPS, Workspace

NEAREST = 2.5


@inner_kernel
def _next_listed(view: ItemView, item: int, side: int) -> int:
    while item != NO_ITEM:
        item = widen(view.beside[item, side])
        if item != NO_ITEM and is_listed(view, item):
            break
    return item


@spliced_kernel
def find_beside(
    view: ItemView, workspace: Workspace, history: NDArray[np.int32], n_history: int
) -> None:
    """Write the listed items nearest to the last item into `workspace.beside`, nearest first.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
    history : int32[R]
        Item slots, newest first; the first `n_history` are valid.
    """
    for side in range(2):
        item = widen(history[0]) if n_history > 0 else widen(np.int32(NO_ITEM))
        for step in range(BESIDE_STEPS):
            item = _next_listed(view, item, side)
            workspace.beside[2 * step + side] = item


@inner_kernel
def write_like_id(workspace: Workspace, n_candidates: int, x: NDArray[np.float32]) -> None:
    """Write x of all candidates; `find_beside` was called before."""
    candidate = workspace.candidate
    for a in range(n_candidates):
        x[a] = 0.0
    for place in range(2 * BESIDE_STEPS):
        item = workspace.beside[place]
        near = np.float32(NEAREST / math.sqrt(1.0 + place // 2))
        for a in range(n_candidates):
            x[a] = near if candidate[a] == item else x[a]
