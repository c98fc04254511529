"""Implicit factors in the fold: who gets which evidence when, around the solvers of ridge.py.

The factor of a user is solved from the recent history when it is needed; that of an item is kept in
the view and solved anew when the item is taken. The ranker weighs the prediction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.initial_factors import init_factors
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.jit import copy_to, fill, inner_kernel, kernel
from stream_rec.kernels.ridge import (
    HISTORY_LENGTH,
    ITEM_REG,
    ITEM_UNSEEN_WEIGHT,
    N_SWEEPS,
    RECENCY,
    START_SCALE,
    USER_REG,
    USER_UNSEEN_WEIGHT,
    WINDOW_EVENTS,
    Crowd,
    add_item_evidence,
    learn_crowd,
    replace_in_gram,
    solve_item_factor,
    solve_user_factor,
)
from stream_rec.kernels.view import ItemView, is_listed
from stream_rec.kernels.workspace import Workspace

N_SOLVES_ANEW = 10
"""Most repetitions, of `N_SWEEPS` each, from an item's start or after its evidence changed."""
CONVERGED = 1e-5
"""Repetitions end when one changes a factor by less than this share of its largest number."""


@inner_kernel
def find_user_factor(
    view: ItemView,
    crowd: Crowd,
    history: NDArray[np.int32],
    n_history: int,
    workspace: Workspace,
) -> None:
    """Solve the implicit factor of a user into `workspace.user_factor`."""
    solve_user_factor(
        history,
        min(n_history, HISTORY_LENGTH),
        view.factor,
        view.item_gram,
        view.n_seen[0],
        crowd,
        RECENCY,
        USER_UNSEEN_WEIGHT,
        USER_REG,
        N_SWEEPS,
        workspace.user_factor,
        workspace.factor_work,
    )


@inner_kernel
def place_new_item(view: ItemView, item: int, item_hash: np.uint64, workspace: Workspace) -> None:
    """Let an item that is seen for the first time start at the factor that its id gives."""
    before = workspace.item_factor[0]
    fill(before, 0.0)
    init_factors(item_hash, view.factor[item], START_SCALE)
    replace_in_gram(view.item_gram, before, view.factor[item])


@inner_kernel
def add_evidence(
    evidence: NDArray[np.float32], user_factor: NDArray[np.float32], weight: int
) -> None:
    """Add one event to an item's evidence; a rejection says that such users do not want it."""
    preference = 1.0 if weight > 0 else 0.0
    add_item_evidence(evidence, user_factor, abs(weight) / WEIGHT_UNIT, preference)


@inner_kernel
def meet_user(crowd: Crowd, own: Crowd, separate: bool, user_factor: NDArray[np.float32]) -> None:
    """Add a user factor to the partition's crowd; the view stays the sum."""
    if separate:
        _add_crowd(crowd, own, -1.0)
    learn_crowd(own, user_factor, WINDOW_EVENTS)
    if separate:
        _add_crowd(crowd, own, 1.0)


@inner_kernel
def _add_crowd(crowd: Crowd, own: Crowd, sign: float) -> None:
    crowd.weight[0] += sign * own.weight[0]
    for f in range(len(own.total)):
        crowd.total[f] += sign * own.total[f]
        for g in range(len(own.total)):
            crowd.gram[f, g] += sign * own.gram[f, g]


@inner_kernel
def solve_item(
    view: ItemView, crowd: Crowd, item: int, item_hash: np.uint64, workspace: Workspace
) -> None:
    """Solve the factor of an item whose evidence has changed, and keep the Gram matrix right."""
    start, before = workspace.item_factor[0], workspace.item_factor[1]
    copy_to(before, view.factor[item])
    init_factors(item_hash, start, START_SCALE)
    solve_item_factor(
        view.rows.evidence[item],
        start,
        crowd,
        ITEM_UNSEEN_WEIGHT,
        ITEM_REG,
        N_SWEEPS,
        view.factor[item],
        workspace.factor_work,
    )
    replace_in_gram(view.item_gram, before, view.factor[item])


@kernel
def solve_items(
    view: ItemView,
    crowd: Crowd,
    items: NDArray[np.int64],
    item_hash: NDArray[np.uint64],
    n_solves: int,
    workspace: Workspace,
) -> None:
    """Solve the factors of items whose rows were summed anew, and keep the Gram matrix right.

    Parameters
    ----------
    view : ItemView
        Modified in place.
    crowd : Crowd
    items : int64[n]
    item_hash : uint64[N]
    n_solves : int
        Most repetitions, of `N_SWEEPS` each, from the present factor. Where there is none yet, it
        is `N_SOLVES_ANEW` from the start. Fewer do where they have converged.
    workspace : Workspace
    """
    work = workspace.item_factor
    start, before, previous = work[0], work[1], work[2]
    for item in items:
        factor = view.factor[item]
        copy_to(before, factor)
        if not is_listed(view, item):
            fill(factor, 0.0)
            replace_in_gram(view.item_gram, before, factor)
            continue
        init_factors(item_hash[item], start, START_SCALE)
        n_repeated = n_solves
        if view.rows.evidence[item, 0] <= 0.0:
            n_repeated = 0
            copy_to(factor, start)
        elif _largest(factor) == 0.0:
            n_repeated = N_SOLVES_ANEW
            copy_to(factor, start)
        for _ in range(n_repeated):
            copy_to(previous, factor)
            solve_item_factor(
                view.rows.evidence[item],
                start,
                crowd,
                ITEM_UNSEEN_WEIGHT,
                ITEM_REG,
                N_SWEEPS,
                factor,
                workspace.factor_work,
            )
            for f in range(len(factor)):
                previous[f] -= factor[f]
            if _largest(previous) <= CONVERGED * _largest(factor):
                break
        replace_in_gram(view.item_gram, before, factor)


@inner_kernel
def _largest(factor: NDArray[np.float32]) -> np.float32:
    """Return the largest absolute value."""
    largest = np.float32(0.0)
    for f in range(len(factor)):
        largest = max(largest, abs(factor[f]))
    return largest
