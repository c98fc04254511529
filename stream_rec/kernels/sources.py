"""Link sources: what a user's history proposes through the links between items.

Over the history j_0, j_1, … (j_0 the newest), with n_j the count of j:

    near_inverse(i)  = Σ_{r<10} s_r · near[j_r→i] / (n_j + 1) / (r + 1)
    near_root(i)     = Σ_{r<10} s_r · 0.85^r · near[j_r→i] / √(n_j + 1)
    wide_root(i)     = Σ_r      0.93^r · wide[j_r→i] / √(n_j + 1)
    after_inverse(i) = Σ_{r<10} s_r · after[j_r→i] / (n_j + 1) / (r + 1)
    after_last(i)    = after[j_0→i] / (n_j + 1)

with s_r = 1 for what was taken in the session of the latest event, and 0.3 for what came before.

Rows keep strong links first, so only the head of each row is scanned: 256 links for r < 3, then 128
and 32; what a row holds beyond that may become strong. The constants are measured on five logs
(docs/quality.md); the learned ranker weighs the sources against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.jit import fill, inline_kernel, kernel, place_of, vector_kernel, widen, zero
from stream_rec.kernels.links import LinkRows, find_place
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    AFTER_LAST,
    NEAR_INVERSE,
    NEAR_ROOT,
    PREDICTED,
    SOURCE_COLUMNS,
    WIDE_ROOT,
    Workspace,
)

NEAR_WINDOW = 10
"""Places of history that count as near."""
AFTER_UNIT = 64
"""A transition over one place counts this many units (times the event's weight units)."""
NEAR_DECAY = 0.85
WIDE_DECAY = 0.93
EARLIER_SESSION_SHARE = 0.3
"""s_r of what was taken before the latest session."""
LEAST_WEIGHT = 1e-30
"""Of a place in `wide_root`, however far back: an item that is reached has a value above 0."""


def scan_limits(history_length: int, links_max: int) -> NDArray[np.int32]:
    """Return how many links of a row are scanned, per place of history: int32[history_length]."""
    limits = np.full(history_length, 32, np.int32)
    limits[:NEAR_WINDOW] = 128
    limits[:3] = 256
    return np.minimum(limits, links_max).astype(np.int32)


@inline_kernel
def _sum(column: NDArray[np.int32], start: int, end: int) -> int:
    total = zero()
    for place in range(place_of(start), place_of(end)):
        total += column[place]
    return total


@inline_kernel
def _wide_weight(r: int, count: float) -> np.float32:
    root = 1.0 / WEIGHT_UNIT / np.sqrt(count)
    return np.float32(max(WIDE_DECAY**r * root, LEAST_WEIGHT))


@inline_kernel
def _near_weights(r: int, count: float, share: float) -> tuple[np.float32, np.float32, np.float32]:
    """Return what a link of an item at a place counts in `near_inverse`, `near_root`, `after_*`."""
    unit, recency = 1.0 / WEIGHT_UNIT * share, 1.0 / (r + 1.0)
    return (
        np.float32(unit * recency / count),
        np.float32(NEAR_DECAY**r * unit / np.sqrt(count)),
        np.float32(unit / AFTER_UNIT * recency / count),
    )


@kernel
def accumulate_sources(
    view: ItemView,
    workspace: Workspace,
    history: NDArray[np.int32],
    n_history: int,
    n_session: int,
    limits: NDArray[np.int32],
) -> int:
    """Compute every link source for all items that the history reaches.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        `touched`, `n_touched`, `source`, `source_total` are written.
    history : int32[R]
        Item slots, newest first; the first `n_history` are valid.
    n_session : int
        How many of these are of the latest session.
    limits : int32[R]
        Links to scan per place.

    Returns
    -------
    int
        Number of items touched.
    """
    links = view.rows.links
    _clear(workspace)
    source, touched = workspace.source.reshape(-1), workspace.touched
    total = workspace.source_total
    n_touched = zero()
    for r in range(n_history):
        j = history[r]
        count = view.rows.taken[j] / WEIGHT_UNIT + 1.0
        start = widen(links.start[j])
        end = start + min(links.length[j], limits[r])
        to_wide = _wide_weight(r, count)
        total[WIDE_ROOT] += to_wide * _sum(links.wide, start, end)
        if r >= NEAR_WINDOW:
            n_touched = _add_wide(links, source, touched, start, end, n_touched, to_wide)
            continue
        share = 1.0 if r < n_session else EARLIER_SESSION_SHARE
        to_near_inverse, to_near_root, to_after = _near_weights(r, count, share)
        near, after = _sum(links.near, start, end), _sum(links.after, start, end)
        total[NEAR_INVERSE] += to_near_inverse * near
        total[NEAR_ROOT] += to_near_root * near
        total[AFTER_INVERSE] += to_after * after
        n_touched = _add_near(
            links,
            source,
            touched,
            start,
            end,
            n_touched,
            to_near_inverse,
            to_near_root,
            to_wide,
            to_after,
        )
        if r == 0:
            total[AFTER_LAST] = to_after * after
            _add_last(links, source, start, end, to_after)
    workspace.n_touched[0] = n_touched
    return n_touched


@inline_kernel
def _add_last(
    links: LinkRows, source: NDArray[np.float32], start: int, end: int, to_after: np.float32
) -> None:
    for place in range(start, end):
        row = place_of(links.neighbour[place]) * place_of(SOURCE_COLUMNS)
        source[row + place_of(AFTER_LAST)] = np.float32(links.after[place]) * to_after


@inline_kernel
def _clear(workspace: Workspace) -> None:
    source = workspace.source.reshape(-1)
    for z in range(workspace.n_touched[0]):
        row = place_of(workspace.touched[z]) * place_of(SOURCE_COLUMNS)
        for s in range(place_of(SOURCE_COLUMNS)):
            source[row + s] = 0.0
    fill(workspace.source_total, 0.0)


@inline_kernel
def _add_near(
    links: LinkRows,
    source: NDArray[np.float32],
    touched: NDArray[np.int32],
    start: int,
    end: int,
    n_touched: int,
    to_near_inverse: np.float32,
    to_near_root: np.float32,
    to_wide: np.float32,
    to_after: np.float32,
) -> int:
    """Add a row of links to all sources but `after_last`; return the new number of touched items.

    Every item is written to the end of `touched`, where the next one overwrites it unless it was
    new: a branch would be guessed wrong half of the time.
    """
    for place in range(place_of(start), place_of(end)):
        item = links.neighbour[place]
        row = place_of(item) * place_of(SOURCE_COLUMNS)
        near, after = np.float32(links.near[place]), np.float32(links.after[place])
        wide = source[row + place_of(WIDE_ROOT)]
        touched[place_of(n_touched)] = item
        n_touched += 1 if wide == 0.0 else 0
        source[row + place_of(NEAR_INVERSE)] += near * to_near_inverse
        source[row + place_of(NEAR_ROOT)] += near * to_near_root
        source[row + place_of(WIDE_ROOT)] = wide + np.float32(links.wide[place]) * to_wide
        source[row + place_of(AFTER_INVERSE)] += after * to_after
    return n_touched


@inline_kernel
def _add_wide(
    links: LinkRows,
    source: NDArray[np.float32],
    touched: NDArray[np.int32],
    start: int,
    end: int,
    n_touched: int,
    to_wide: np.float32,
) -> int:
    """Add a row of links to `wide_root`; return the new number of touched items."""
    for place in range(place_of(start), place_of(end)):
        item = links.neighbour[place]
        row = place_of(item) * place_of(SOURCE_COLUMNS) + place_of(WIDE_ROOT)
        wide = source[row]
        touched[place_of(n_touched)] = item
        n_touched += 1 if wide == 0.0 else 0
        source[row] = wide + np.float32(links.wide[place]) * to_wide
    return n_touched


@kernel
def strongest_place(
    view: ItemView,
    history: NDArray[np.int32],
    n_history: int,
    limits: NDArray[np.int32],
    item: int,
) -> int:
    """Return the place of the history that adds most to an item's `wide_root`, −1 if none does.

    Parameters are those of `accumulate_sources`. Asked for the few items of a list, it costs less
    than keeping it up for all that are touched.
    """
    links = view.rows.links
    strongest = np.float32(0.0)
    because = -1
    for r in range(n_history):
        j = history[r]
        length = min(links.length[j], limits[r])
        place = find_place(links.neighbour, links.start[j], length, item)
        if place >= 0:
            count = view.rows.taken[j] / WEIGHT_UNIT + 1.0
            wide = np.float32(links.wide[place]) * _wide_weight(r, count)
            if wide > strongest:
                strongest, because = wide, r
    return because


@vector_kernel
def predict(flat: NDArray[np.float32], user_factor: NDArray[np.float32], item: int) -> np.float32:
    """Return the implicit factors' prediction ⟨p, q⟩ for an item.

    Parameters
    ----------
    flat : float32[N · F]
        The items' factors, one after the other.
    user_factor : float32[F]
    item : int
    """
    n_factors = place_of(len(user_factor))
    first = place_of(item) * n_factors
    predicted = np.float32(0.0)
    for f in range(n_factors):
        predicted += user_factor[f] * flat[first + f]
    return predicted


@kernel
def predict_touched(view: ItemView, workspace: Workspace, n_touched: int) -> None:
    """Write the prediction for every touched item; the whole catalogue would take too long."""
    flat, source = view.factor.reshape(-1), workspace.source.reshape(-1)
    user_factor, touched = workspace.user_factor, workspace.touched
    for z in range(n_touched):
        place = place_of(touched[z]) * place_of(SOURCE_COLUMNS) + place_of(PREDICTED)
        source[place] = predict(flat, user_factor, touched[z])
