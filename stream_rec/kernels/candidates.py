"""Candidates: what the user's history is linked to most, what stands beside the last item, lists.

An item i that the history reaches is proposed by its shares among all reached that may be,

    key(i) = Σ_s v_s(i) / Σ_j v_s(j)

    v = near_inverse · c^-1/4,  after_inverse,  wide_root · c^-1/2,  max(⟨p, q⟩, 0)²

with c the item's count (what people took with everything says little) and the implicit factors'
prediction ⟨p, q⟩, which without the square would hardly differ from item to item. It is a sum, so
one source that says much is enough. Then comes what stands nearest to the last item in the order of
ids (id_order.py), linked to anything or not. The sorted lists (popularity at each half-life and of
all time, the newest) then take turns, place by place, until there are as many candidates as wanted:
who has no history, or one that reaches little, gets more from them.

Without what the user has seen; where people come back to what they had, the items of the history
are candidates too. Only candidates are scored exactly, so the cost of a ranking does not grow with
the catalogue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.kernels.jit import (
    inline_kernel,
    inner_kernel,
    kernel,
    place_of,
    spliced_kernel,
    vector_kernel,
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
    NEAR_INVERSE,
    PREDICTED,
    SOURCE_COLUMNS,
    WIDE_ROOT,
    Workspace,
)

N_BESIDE = 8
"""How many at most are added for where they stand in the order of ids; 4 or 16 gain nothing."""
LEAST_TOTAL = 1e-30
"""Of a source that says nothing: its shares are then 0."""


def candidate_places(n_wanted: int, list_length: int, history_length: int) -> int:
    """Return the largest number of candidates of a ranking, with what fills a list up."""
    return n_wanted + list_length + history_length


@inline_kernel
def _add(workspace: Workspace, item: int, stamp: int, n_candidates: int) -> int:
    if workspace.marks[item, CANDIDATE] == stamp:
        return n_candidates
    workspace.marks[item, CANDIDATE] = stamp
    workspace.candidate[n_candidates] = item
    return n_candidates + 1


@inner_kernel
def _write_keys(view: ItemView, workspace: Workspace, n_touched: int, stamp: int) -> None:
    """Write v_s of the touched items, one row of `top_key` a source; 0 for one that may not be."""
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
        prediction = source[row + place_of(PREDICTED)] * whole
        near_inverse[z] = source[row + place_of(NEAR_INVERSE)] * damped
        after_inverse[z] = source[row + place_of(AFTER_INVERSE)] * whole
        wide_root[z] = source[row + place_of(WIDE_ROOT)] * damped * damped
        predicted[z] = prediction * prediction if prediction > 0.0 else np.float32(0.0)


@vector_kernel
def _sum_up_shares(key: NDArray[np.float32], n: int) -> None:
    """Replace the first row by the sum of the shares of all rows."""
    first, second, third, fourth = key[0], key[1], key[2], key[3]
    total_1 = total_2 = total_3 = total_4 = np.float32(LEAST_TOTAL)
    for z in range(n):
        total_1 += first[z]
        total_2 += second[z]
        total_3 += third[z]
        total_4 += fourth[z]
    one = np.float32(1.0)
    to_1, to_2, to_3, to_4 = one / total_1, one / total_2, one / total_3, one / total_4
    for z in range(n):
        first[z] = first[z] * to_1 + second[z] * to_2 + third[z] * to_3 + fourth[z] * to_4


@inner_kernel
def _propose_beside(workspace: Workspace, n_most: int, stamp: int, n_candidates: int) -> int:
    """Add the nearest to the last item in the order of ids that are no candidates yet."""
    n_end = min(n_candidates + N_BESIDE, n_most)
    for place in range(len(workspace.beside)):
        item = widen(workspace.beside[place])
        if n_candidates < n_end and item != NO_ITEM and workspace.marks[item, EXCLUDED] != stamp:
            n_candidates = _add(workspace, item, stamp, n_candidates)
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
    n_linked: int,
    n_wanted: int,
    stamp: int,
    n_candidates: int,
) -> int:
    """Add to `workspace.candidate` and return the number of candidates.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        With the sources accumulated, what stands beside the last item found, and seen items marked
        EXCLUDED under `stamp`.
    n_touched : int
    n_linked : int
        How many at most of what the history is linked to.
    n_wanted : int
        How many in all, as far as the sorted lists go.
    n_candidates : int
        That there are already; they count in addition.
    """
    n = n_candidates
    _write_keys(view, workspace, n_touched, stamp)
    _sum_up_shares(workspace.top_key, n_touched)
    n_most = min(n_linked, n_wanted)
    n_top = take_largest(workspace.top_key[0], n_touched, n_most, workspace.top_at)
    for place in range(n_top):
        n = _add(workspace, widen(workspace.touched[workspace.top_at[place]]), stamp, n)
    items, n_end = view.top.items, n_candidates + n_wanted
    n = _propose_beside(workspace, n_end, stamp, n)
    for place in range(items.shape[1]):
        for which in range(items.shape[0]):
            item = widen(items[which, place])
            if n < n_end and item >= 0 and workspace.marks[item, EXCLUDED] != stamp:
                n = _add(workspace, item, stamp, n)
        if n >= n_end:
            break
    return n


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
