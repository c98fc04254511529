"""Lists on demand: rankings that teach the model nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import kernel
from stream_rec.model.ranking import (
    Model,
    Recipe,
    begin_ranking,
    best_of,
    rank_for_user,
    reach,
    score_for_user,
)

LIST_LENGTH_MAX = 100
"""Longest list that can be asked for: a workspace has room for no more."""


class Listed(NamedTuple):
    """A list as arrays: item slots, scores, feature columns of the reasons, causes (−1: none)."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    reasons: NDArray[np.int8]
    because: NDArray[np.int32]


def empty_listed(n: int) -> Listed:
    """Return room for a list of `n`."""
    return Listed(
        np.zeros(n, np.int32), np.zeros(n, np.float32), np.zeros(n, np.int8), np.zeros(n, np.int32)
    )


def check_length(n: int) -> None:
    """Refuse a list of no length, or of too many items.

    Raises
    ------
    ValueError
    """
    if not 1 <= n <= LIST_LENGTH_MAX:
        raise ValueError(f"expected a list of 1 to {LIST_LENGTH_MAX} items, came {n}")


@kernel
def list_for_user(
    model: Model,
    user: int,
    now_s: float,
    recipe: Recipe,
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
) -> int:
    """Rank for a user and write the best by a recipe; see `rank_for_user` and `best_of`."""
    n_candidates = rank_for_user(model, recipe, user, now_s)
    return best_of(model, user, n_candidates, item, score, reason, because)


@kernel
def order_given(
    model: Model,
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
    begin_ranking(model.workspace, model.recipe, model.profiles, user)
    reach(model, user)
    for a in range(len(given)):
        model.workspace.candidate[a] = given[a]
    score_for_user(model, user, now_s, len(given))
    return best_of(model, user, len(given), item, score, reason, because)
