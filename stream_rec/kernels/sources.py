"""Link sources: what a user's history proposes through the links between items.

Over the history j_0, j_1, … (j_0 the newest), with n_j the count of j:

    near_inverse(i)  = Σ_{r<10} near[j_r→i] / (n_j + 1) / (r + 1)
    near_root(i)     = Σ_{r<10} 0.85^r · near[j_r→i] / √(n_j + 1)
    wide_root(i)     = Σ_r 0.93^r    · wide[j_r→i] / √(n_j + 1)
    after_inverse(i) = Σ_{r<10} after[j_r→i] / (n_j + 1) / (r + 1)
    after_last(i)    = after[j_0→i] / (n_j + 1)

Rows keep strong links first, so of older history only the head of each row is scanned: the whole
row for r < 3, then 64 and 32 links. The constants are measured on five logs (docs/quality.md); the
learned ranker weighs the sources against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.jit import inner_kernel, kernel, zero
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    AFTER_LAST,
    N_LINK_SOURCES,
    NEAR_INVERSE,
    NEAR_ROOT,
    PREDICTED,
    TOUCHED,
    TOUCHED_AT,
    WIDE_ROOT,
    Workspace,
)

NEAR_WINDOW = 10
"""Places of history that count as near."""
AFTER_UNIT = 64
"""A transition over one place counts this many units (times the event's weight units)."""
NEAR_DECAY = 0.85
WIDE_DECAY = 0.93


def scan_limits(history_length: int, links_max: int) -> NDArray[np.int32]:
    """Return how many links of a row are scanned, per place of history: int32[history_length]."""
    limits = np.full(history_length, 32, np.int32)
    limits[:NEAR_WINDOW] = 64
    limits[:3] = links_max
    return np.minimum(limits, links_max).astype(np.int32)


@inner_kernel
def _touch(workspace: Workspace, item: int, stamp: int, n_touched: int) -> int:
    """Enter an item into the touched ones with all values 0."""
    workspace.marks[item, TOUCHED] = stamp
    workspace.marks[item, TOUCHED_AT] = n_touched
    workspace.touched[n_touched] = item
    workspace.strongest[n_touched] = 0.0
    for s in range(N_LINK_SOURCES):
        workspace.source[n_touched, s] = 0.0
    return n_touched + 1


@kernel
def accumulate_sources(
    view: ItemView,
    workspace: Workspace,
    history: NDArray[np.int32],
    n_history: int,
    limits: NDArray[np.int32],
    stamp: int,
) -> int:
    """Compute every link source for all items that the history reaches.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        `touched`, `source`, `strongest`, `because` and marks are written.
    history : int32[R]
        Item slots, newest first; the first `n_history` are valid.
    limits : int32[R]
        Links to scan per place.
    stamp : int
        Of this ranking.

    Returns
    -------
    int
        Number of items touched.
    """
    links = view.rows.links
    marks, source = workspace.marks, workspace.source
    n_touched = zero()
    for r in range(n_history):
        j = history[r]
        count = view.rows.taken[j] / WEIGHT_UNIT + 1.0
        unit = 1.0 / WEIGHT_UNIT
        root = unit / np.sqrt(count)
        recency = 1.0 / (r + 1.0)
        to_wide = np.float32(WIDE_DECAY**r * root)
        to_near_root = np.float32(NEAR_DECAY**r * root)
        to_near_inverse = np.float32(unit * recency / count)
        to_after_inverse = np.float32(unit / AFTER_UNIT * recency / count)
        to_after_last = np.float32(unit / AFTER_UNIT / count)
        start = links.start[j]
        for place in range(start, start + min(links.length[j], limits[r])):
            i = links.neighbour[place]
            if marks[i, TOUCHED] != stamp:
                n_touched = _touch(workspace, i, stamp, n_touched)
            z = marks[i, TOUCHED_AT]
            wide = np.float32(links.wide[place]) * to_wide
            source[z, WIDE_ROOT] += wide
            if wide > workspace.strongest[z]:
                workspace.strongest[z] = wide
                workspace.because[z] = r
            if r < NEAR_WINDOW:
                near = np.float32(links.near[place])
                source[z, NEAR_INVERSE] += near * to_near_inverse
                source[z, NEAR_ROOT] += near * to_near_root
                after = np.float32(links.after[place])
                source[z, AFTER_INVERSE] += after * to_after_inverse
                if r == 0:
                    source[z, AFTER_LAST] = after * to_after_last
    return n_touched


@kernel
def predict(view: ItemView, user_factor: NDArray[np.float32], item: int) -> float:
    """Return the implicit factors' prediction ⟨p, q⟩ for an item."""
    predicted = np.float32(0.0)
    for f in range(len(user_factor)):
        predicted += user_factor[f] * view.factor[item, f]
    return float(predicted)


@kernel
def predict_touched(view: ItemView, workspace: Workspace, n_touched: int) -> None:
    """Write the prediction for every touched item; the whole catalogue would take too long."""
    for z in range(n_touched):
        workspace.source[z, PREDICTED] = predict(view, workspace.user_factor, workspace.touched[z])
