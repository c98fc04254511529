"""Lists on demand: rankings that teach the model nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.held import Held
from stream_rec.kernels.jit import allocating_kernel, inner_kernel
from stream_rec.model.ranking import Model, Recipe, best_of, rank_for_user, reach, score_for_user


@allocating_kernel
def list_for_user(
    held: Held[Model],
    user: int,
    now_s: float,
    recipe: Recipe,
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
) -> int:
    """Rank for a user and write the best by a recipe; see `rank_for_user` and `best_of`."""
    return _list_for_user(held.value, user, now_s, recipe, item, score, reason, because)


@inner_kernel
def _list_for_user(
    model: Model,
    user: int,
    now_s: float,
    recipe: Recipe,
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
) -> int:
    view, learned, profiles, workspace = model.items, model.learned, model.profiles, model.workspace
    n_candidates = rank_for_user(view, learned, profiles, user, now_s, workspace, recipe)
    history, n_history = profiles.history_item[user], profiles.n_history[user]
    return best_of(
        view,
        workspace,
        recipe,
        history,
        n_history,
        n_candidates,
        item,
        score,
        reason,
        because,
    )


@allocating_kernel
def order_given(
    held: Held[Model],
    user: int,
    now_s: float,
    given: NDArray[np.int32],
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
) -> int:
    """Score given items for a user, seen or not, and write them in order; see `best_of`.

    Parameters
    ----------
    given : int32[n]
        Slots, each once; no more than the workspace has candidates.
    """
    return _order_given(held.value, user, now_s, given, item, score, reason, because)


@inner_kernel
def _order_given(
    model: Model,
    user: int,
    now_s: float,
    given: NDArray[np.int32],
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
) -> int:
    view, learned, profiles, workspace = model.items, model.learned, model.profiles, model.workspace
    recipe = model.recipe
    reach(view, learned, profiles, user, workspace, recipe)
    for a in range(len(given)):
        workspace.candidate[a] = given[a]
    score_for_user(view, learned, profiles, user, now_s, workspace, recipe, len(given))
    history, n_history = profiles.history_item[user], profiles.n_history[user]
    return best_of(
        view,
        workspace,
        recipe,
        history,
        n_history,
        len(given),
        item,
        score,
        reason,
        because,
    )
