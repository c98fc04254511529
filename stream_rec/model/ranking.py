"""Ranking: from a profile to the list; sources → candidates → features → scores → the best n."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.candidates import collect_candidates, fill_up, propose_history
from stream_rec.kernels.features import history_bucket, silence, write_context, write_features
from stream_rec.kernels.id_order import find_beside
from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.kernels.jit import inner_kernel, spliced_kernel, widen, zero
from stream_rec.kernels.profiles import ProfileRows, places_in_session
from stream_rec.kernels.ranker import score_candidates
from stream_rec.kernels.selection import insert
from stream_rec.kernels.sources import accumulate_sources, predict_touched, strongest_place
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import EXCLUDED, N_LINK_SOURCES, Workspace, next_stamp
from stream_rec.model.factors import find_user_factor
from stream_rec.model.learned import Learned

FILLING_PENALTY = 1000.0
"""Puts what only fills the list behind what was proposed, and seen items behind unseen ones: what
was proposed leads a list of any length, in the same order."""


class Recipe(NamedTuple):
    """The settings that fold and ranking need, as numbers.

    Attributes
    ----------
    half_lives_s : float64[H]
    scan_limits : int32[R]
        Links scanned per place of the history.
    linked_candidates, candidates_max, list_length, links_max, seen_max, burst_max : int
    learning_rate : float
    exclude_seen : bool
    n_left_out : int
        How many of a profile's seen items, the last ones noted, the user never took: only excluded.
    proposes_seen : bool
        Whether users may take again what they had: then this is proposed and learned from.
    silent : int32[S]
        Feature columns that may say nothing; only an evaluation sets any.
    """

    half_lives_s: NDArray[np.float64]
    scan_limits: NDArray[np.int32]
    linked_candidates: int
    candidates_max: int
    list_length: int
    links_max: int
    seen_max: int
    burst_max: int
    learning_rate: float
    exclude_seen: bool
    n_left_out: int
    proposes_seen: bool
    silent: NDArray[np.int32]


class Model(NamedTuple):
    """Everything that an event can change or that a ranking reads, and how it is to be done."""

    items: ItemView
    learned: Learned
    profiles: ProfileRows
    item_hash: NDArray[np.uint64]
    user_hash: NDArray[np.uint64]
    workspace: Workspace
    recipe: Recipe


@inner_kernel
def begin_ranking(workspace: Workspace, recipe: Recipe, profiles: ProfileRows, user: int) -> int:
    """Mark what the user took, and what may not be proposed; return the stamp of the ranking."""
    stamp = next_stamp(workspace)
    block, n_left_out = profiles.seen_head[user], recipe.n_left_out
    n_here = (profiles.n_seen[user] - 1) % profiles.seen_item.shape[1] + 1
    while block >= 0:
        for x in range(n_here - 1, -1, -1):
            item = profiles.seen_item[block, x]
            if n_left_out <= 0:
                workspace.had[item] = stamp
            if n_left_out > 0 or recipe.exclude_seen:
                workspace.marks[item, EXCLUDED] = stamp
            n_left_out -= 1
        n_here = profiles.seen_item.shape[1]
        block = profiles.seen_next[block]
    return stamp


@spliced_kernel
def reach(model: Model, user: int) -> int:
    """Compute what the user's history says of items; return the number of items it is linked to."""
    view, profiles, workspace = model.items, model.profiles, model.workspace
    history, n_history = profiles.history_item[user], widen(profiles.n_history[user])
    history_s = profiles.history_s[user]
    n_session = places_in_session(history_s, n_history, history_s[0])
    limits = model.recipe.scan_limits
    n_touched = accumulate_sources(view, workspace, history, n_history, n_session, limits)
    find_user_factor(view, model.learned.crowd, history, n_history, workspace)
    predict_touched(view, workspace, n_touched)
    find_beside(view, workspace, history, n_history)
    return n_touched


@spliced_kernel
def score_for_user(model: Model, user: int, now_s: float, n_candidates: int) -> None:
    """Score the candidates in the workspace; no score depends on the other candidates."""
    view, profiles, workspace = model.items, model.profiles, model.workspace
    history, n_history = profiles.history_item[user], widen(profiles.n_history[user])
    n_distinct = profiles.n_distinct[user]
    last_count = view.rows.taken[history[0]] if n_history > 0 else 0
    write_context(workspace.context, n_distinct, now_s - profiles.last_s[user], last_count)
    factor = workspace.user_factor
    write_features(view, workspace, factor, history, n_history, n_candidates, now_s)
    silence(workspace, model.recipe.silent, n_candidates)
    ranker, bucket = model.learned.ranker, history_bucket(n_distinct)
    score_candidates(ranker, view.rows.bias, workspace, n_candidates, bucket)


@inner_kernel
def rank_for_user(model: Model, recipe: Recipe, user: int, now_s: float) -> int:
    """Score the candidates for a user; seen items make up for missing unseen ones.

    Parameters
    ----------
    model : Model
        Of the workspace `candidate`, `feature`, `score` are written.
    recipe : Recipe
        The model's, or one of another list length, or that leaves items out.
    user : int
        Slot.
    now_s : float
        Event time of the ranking.

    Returns
    -------
    int
        Number of candidates.
    """
    view, profiles, workspace = model.items, model.profiles, model.workspace
    stamp = begin_ranking(workspace, recipe, profiles, user)
    n_touched = reach(model, user)
    n_proposed = zero()
    if recipe.proposes_seen:
        history, n_history = profiles.history_item[user], widen(profiles.n_history[user])
        n_proposed = propose_history(view, workspace, history, n_history, stamp)
    n_proposed = collect_candidates(
        view,
        workspace,
        n_touched,
        recipe.linked_candidates,
        recipe.candidates_max,
        stamp,
        n_proposed,
    )
    n_candidates = fill_up(view, workspace, recipe.list_length, stamp, n_proposed)
    score_for_user(model, user, now_s, n_candidates)
    for a in range(n_proposed, n_candidates):
        is_seen = workspace.marks[workspace.candidate[a], EXCLUDED] == stamp
        workspace.score[a] -= 2.0 * FILLING_PENALTY if is_seen else FILLING_PENALTY
    return n_candidates


@inner_kernel
def best_of(
    model: Model,
    user: int,
    n_candidates: int,
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
) -> int:
    """Write the best candidates in order, with what speaks most for each; return their number.

    Parameters
    ----------
    model : Model
        Its workspace has candidates that were scored for the user.
    user : int
        Slot.
    n_candidates : int
    item, score, reason, because : arrays of n
        Written: item slot, score, feature column of the strongest share, and the item of the
        history behind it (NO_ITEM where the reason is no link).
    """
    view, profiles, workspace = model.items, model.profiles, model.workspace
    history, n_history = profiles.history_item[user], widen(profiles.n_history[user])
    limits = model.recipe.scan_limits
    n_best = zero()
    for a in range(n_candidates):
        x = workspace.score[a]
        if n_best < len(item) or x > score[n_best - 1]:
            n_best = insert(score, item, n_best, len(item), x, a)
    for place in range(n_best):
        a = item[place]
        item[place] = workspace.candidate[a]
        reason[place] = _strongest_share(workspace, a, len(view.total) + N_LINK_SOURCES)
        because[place] = NO_ITEM
        if reason[place] >= len(view.total):
            r = strongest_place(view, history, n_history, limits, widen(item[place]))
            because[place] = history[r] if r >= 0 else NO_ITEM
    return n_best


@inner_kernel
def _strongest_share(workspace: Workspace, a: int, n_shares: int) -> int:
    """Return the feature column in which candidate `a` has its largest share, −1 if it has none."""
    strongest = -1
    for f in range(n_shares):
        if workspace.missing[f, a] == 0.0 and (
            strongest < 0 or workspace.feature[f, a] > workspace.feature[strongest, a]
        ):
            strongest = f
    return strongest
