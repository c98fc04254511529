"""Candidates: the union of the tops of all sources, without what the user has seen.

Where people come back to what they had, the items of the history are candidates too.

Only candidates are scored exactly, so the cost of a ranking does not grow with the catalogue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import (
    inline_kernel,
    inner_kernel,
    kernel,
    place_of,
    spliced_kernel,
    widen,
    zero,
)
from stream_rec.kernels.selection import take_largest
from stream_rec.kernels.view import ItemView, is_listed
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    CANDIDATE,
    EXCLUDED,
    N_MARKS,
    N_SOURCE_TOPS,
    NEAR_INVERSE,
    PREDICTED,
    SOURCE_COLUMNS,
    WIDE_ROOT,
    Workspace,
)


def candidates_max(
    n_lists: int, per_source: int, n_newest: int, list_length: int, history_length: int
) -> int:
    """Return the largest number of candidates of a ranking: every top full and disjoint."""
    n_from_sources = (N_SOURCE_TOPS + n_lists - 1) * per_source + n_newest
    return n_from_sources + list_length + history_length


@inline_kernel
def _add(workspace: Workspace, item: int, stamp: int, n_candidates: int) -> int:
    if workspace.marks[item, CANDIDATE] == stamp:
        return n_candidates
    workspace.marks[item, CANDIDATE] = stamp
    workspace.candidate[n_candidates] = item
    return n_candidates + 1


@inner_kernel
def _write_keys(view: ItemView, workspace: Workspace, n_touched: int, stamp: int) -> None:
    """Write by what touched items are proposed: source · damping^power, 0 for one that may not be.

    `after_last` is part of `after_inverse`, and what `near_root` would propose, others do.
    """
    marks, source = workspace.marks.reshape(-1), workspace.source.reshape(-1)
    touched, damping, key = workspace.touched, view.damping, workspace.top_key
    near_inverse, after_inverse, wide_root = key[0], key[1], key[2]
    predicted = key[3]
    for z in range(n_touched):
        item = place_of(touched[z])
        row = item * place_of(SOURCE_COLUMNS)
        is_excluded = marks[item * place_of(N_MARKS) + place_of(EXCLUDED)] == stamp
        damped = np.float32(0.0) if is_excluded else damping[item]
        whole = np.float32(1.0) if damped > 0.0 else np.float32(0.0)
        near_inverse[z] = source[row + place_of(NEAR_INVERSE)] * damped
        after_inverse[z] = source[row + place_of(AFTER_INVERSE)] * whole
        wide_root[z] = source[row + place_of(WIDE_ROOT)] * damped * damped
        predicted[z] = source[row + place_of(PREDICTED)] * whole


@inner_kernel
def _take_list_top(
    view: ItemView, workspace: Workspace, which: int, n_wanted: int, stamp: int, n_candidates: int
) -> int:
    """Add the first `n_wanted` items of a sorted list that are not excluded."""
    n_taken = 0
    for place in range(view.top.items.shape[1]):
        item = widen(view.top.items[which, place])
        if item < 0 or n_taken == n_wanted:
            break
        if workspace.marks[item, EXCLUDED] != stamp:
            n_candidates = _add(workspace, item, stamp, n_candidates)
            n_taken += 1
    return n_candidates


@kernel
def propose_history(
    view: ItemView, workspace: Workspace, history: NDArray[np.int32], n_history: int, stamp: int
) -> int:
    """Begin the candidates with the items of a history, newest first; return their number.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        With excluded items marked under `stamp`.
    history : int32[R]
        Item slots; the first `n_history` are valid.
    """
    n = zero()
    for r in range(n_history):
        item = widen(history[r])
        if workspace.marks[item, EXCLUDED] != stamp and is_listed(view, item):
            n = _add(workspace, item, stamp, n)
    return n


@spliced_kernel
def collect_candidates(
    view: ItemView,
    workspace: Workspace,
    n_touched: int,
    per_source: int,
    n_newest: int,
    stamp: int,
    n_candidates: int,
) -> int:
    """Add the union of all tops to `workspace.candidate` and return the number of candidates.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        With the sources accumulated and seen items marked EXCLUDED under `stamp`.
    n_touched : int
    per_source : int
        Length of each source's top.
    n_newest : int
        Items taken from the newest.
    n_candidates : int
        That there are already.
    """
    n = n_candidates
    _write_keys(view, workspace, n_touched, stamp)
    for x in range(N_SOURCE_TOPS):
        n_top = take_largest(
            workspace.top_key[x],
            n_touched,
            per_source,
            workspace.maximum,
            workspace.column,
            workspace.top_value,
            workspace.top_at,
        )
        for place in range(n_top):
            n = _add(workspace, widen(workspace.touched[workspace.top_at[place]]), stamp, n)
    n_lists = view.top.items.shape[0]
    for which in range(n_lists - 1):
        n = _take_list_top(view, workspace, which, per_source, stamp, n)
    return _take_list_top(view, workspace, n_lists - 1, n_newest, stamp, n)


@kernel
def fill_up(
    view: ItemView, workspace: Workspace, n_wanted: int, stamp: int, n_candidates: int
) -> int:
    """Add items until there are `n_wanted` candidates, as far as there are any.

    First come the most popular that are unseen; who has seen all of that list gets others, in the
    order of their slots; and where nothing unseen is left, the most popular that are seen.
    """
    all_time = view.top.items.shape[0] - 2
    for turn in range(2):
        for place in range(view.top.items.shape[1]):
            item = widen(view.top.items[all_time, place])
            if item < 0 or n_candidates >= n_wanted:
                break
            if (workspace.marks[item, EXCLUDED] == stamp) == (turn == 1):
                n_candidates = _add(workspace, item, stamp, n_candidates)
        for item in range(len(view.top.keys) if turn == 0 else 0):
            if n_candidates >= n_wanted:
                break
            if workspace.marks[item, EXCLUDED] != stamp and is_listed(view, item):
                n_candidates = _add(workspace, item, stamp, n_candidates)
    return n_candidates


@kernel
def position_of(workspace: Workspace, item: int, n_candidates: int) -> int:
    """Return the place of an item among the candidates, −1 if it is none."""
    for a in range(n_candidates):
        if workspace.candidate[a] == item:
            return a
    return -1
