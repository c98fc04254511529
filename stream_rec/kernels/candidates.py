"""Candidates: the union of the tops of all sources, without what the user has seen.

Where people come back to what they had, the items of the history are candidates too.

Only candidates are scored exactly, so the cost of a ranking does not grow with the catalogue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel, widen, zero
from stream_rec.kernels.view import ItemView, is_listed
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    CANDIDATE,
    EXCLUDED,
    NEAR_INVERSE,
    NEAR_ROOT,
    PREDICTED,
    WIDE_ROOT,
    Workspace,
)

_TOPS = np.array(
    [[NEAR_INVERSE, 1], [AFTER_INVERSE, 0], [WIDE_ROOT, 2], [NEAR_ROOT, 1], [PREDICTED, 0]]
)
"""Sources whose tops are taken, and the power of the damping of popular items in each. The source
`after_last` is part of `after_inverse`."""
N_SOURCE_TOPS = len(_TOPS)


def candidates_max(
    n_lists: int, per_source: int, n_newest: int, list_length: int, history_length: int
) -> int:
    """Return the largest number of candidates of a ranking: every top full and disjoint."""
    n_from_sources = (N_SOURCE_TOPS + n_lists - 1) * per_source + n_newest
    return n_from_sources + list_length + history_length


@inner_kernel
def _add(workspace: Workspace, item: int, stamp: int, n_candidates: int) -> int:
    if workspace.marks[item, CANDIDATE] == stamp:
        return n_candidates
    workspace.marks[item, CANDIDATE] = stamp
    workspace.candidate[n_candidates] = item
    return n_candidates + 1


@inner_kernel
def _take_source_top(
    view: ItemView,
    workspace: Workspace,
    source: int,
    damping_power: int,
    n_touched: int,
    per_source: int,
    stamp: int,
    n_candidates: int,
) -> int:
    """Add the touched items with the largest source · damping^power, ties by order of touching.

    An item that is linked to but not listed is one whose row or id has not come here yet.
    """
    value, at = workspace.top_value, workspace.top_at
    n_top = 0
    for z in range(n_touched):
        x = workspace.source[z, source]
        if x <= 0.0:
            continue
        item = workspace.touched[z]
        for _ in range(damping_power):
            x *= view.damping[item]
        if n_top == per_source and x <= value[n_top - 1]:
            continue
        if workspace.marks[item, EXCLUDED] == stamp or not is_listed(view, item):
            continue
        place = min(n_top, per_source - 1)
        n_top = place + 1
        while place > 0 and value[place - 1] < x:
            value[place] = value[place - 1]
            at[place] = at[place - 1]
            place -= 1
        value[place] = x
        at[place] = item
    for place in range(n_top):
        n_candidates = _add(workspace, at[place], stamp, n_candidates)
    return n_candidates


@inner_kernel
def _take_list_top(
    view: ItemView, workspace: Workspace, which: int, n_wanted: int, stamp: int, n_candidates: int
) -> int:
    """Add the first `n_wanted` items of a sorted list that are not excluded."""
    n_taken = 0
    for place in range(view.top.items.shape[1]):
        item = view.top.items[which, place]
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


@kernel
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
    for x in range(N_SOURCE_TOPS):
        n = _take_source_top(
            view, workspace, _TOPS[x, 0], _TOPS[x, 1], n_touched, per_source, stamp, n
        )
    n_lists = view.top.items.shape[0]
    for which in range(n_lists - 1):
        n = _take_list_top(view, workspace, which, per_source, stamp, n)
    return _take_list_top(view, workspace, n_lists - 1, n_newest, stamp, n)


@kernel
def fill_up(
    view: ItemView, workspace: Workspace, n_wanted: int, stamp: int, n_candidates: int, seen: bool
) -> int:
    """Add the most popular items, seen or unseen ones, until there are `n_wanted` candidates."""
    all_time = view.top.items.shape[0] - 2
    for place in range(view.top.items.shape[1]):
        item = view.top.items[all_time, place]
        if item < 0 or n_candidates >= n_wanted:
            break
        if (workspace.marks[item, EXCLUDED] == stamp) == seen:
            n_candidates = _add(workspace, item, stamp, n_candidates)
    return n_candidates


@kernel
def position_of(workspace: Workspace, item: int, n_candidates: int) -> int:
    """Return the place of an item among the candidates, −1 if it is none."""
    for a in range(n_candidates):
        if workspace.candidate[a] == item:
            return a
    return -1
