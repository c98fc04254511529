"""The fold: one event after the other changes rows and ranker; only here is the order of steps.

For each event of a batch:

1. an event that the profile already holds is only ranked again (it is being replayed), a duplicate
is dropped, and a user who asks for it is forgotten, without a list; 2. an item new to the user, or
one that may be taken again, is first ranked as it stood, and the ranker learns from where it came
(test, then learn); an event of a flood teaches nothing, here and below, but that its item is there;
3. the item rows of the partition, and of the view where that is another, take the event in; 4. the
profile takes the event in; 5. the refreshed list is ranked for publication.

Each row skips what it already holds (`durable`), so a replay after a crash changes nothing twice.
"""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.bursts import count_burst
from stream_rec.kernels.candidates import position_of
from stream_rec.kernels.hashing import mix64
from stream_rec.kernels.item_rows import ItemRows
from stream_rec.kernels.jit import (
    inner_kernel,
    kernel,
    spliced_kernel,
    widen,
    zero,
)
from stream_rec.kernels.links import block_places
from stream_rec.kernels.profiles import (
    find_in_history,
    forget_profile,
    is_duplicate,
    places_in_session,
)
from stream_rec.kernels.ranker import rank_of
from stream_rec.kernels.seen_items import has_seen
from stream_rec.kernels.slim import TURN_EVENTS, solve_if_due, solve_next
from stream_rec.kernels.view import (
    is_listed,
    list_new_item,
    note_earlier_sight,
    refresh_popularity,
)
from stream_rec.model.batch import (
    DUPLICATE,
    FLOOD,
    FOLDED,
    FORGETS,
    NOT_PROPOSED,
    NOT_SCORED,
    REPLAYED,
    Batch,
    Outcome,
)
from stream_rec.model.factors import find_user_factor, place_new_item
from stream_rec.model.fold_rows import fold_into, fold_profile, mark_changed
from stream_rec.model.learned import Partition
from stream_rec.model.learning import learn_factors, learn_ranking, learn_rating, notice_hit
from stream_rec.model.ranking import Model, Recipe, best_of, rank_for_user


@kernel
def fold_batch(
    model: Model,
    partition: Partition,
    separate: bool,
    batch: Batch,
    outcome: Outcome,
    first: int,
    end: int,
    publish: bool,
) -> int:
    """Fold a partition's events of a batch, as far as the link pools have room.

    Parameters
    ----------
    model : Model, held
        Modified in place.
    partition : Partition, held
        Modified in place.
    separate : bool
        Whether the partition's rows and weights are others than the view's.
    batch : Batch, held
    outcome : Outcome, held
        Written.
    first, end : int
        Of the events of the partition: they come one after the other.
    publish : bool
        Whether to rank each event's refreshed list.

    Returns
    -------
    int
        The first event not folded; the caller makes room and calls again if it is not `end`.
    """
    profiles, recipe = model.profiles, model.recipe
    for e in range(first, end):
        if not _has_room(partition.rows, recipe) or not _has_room(model.items.rows, recipe):
            return e
        user = widen(batch.user[e])
        outcome.rank[e] = NOT_SCORED
        outcome.expected[e] = np.nan
        outcome.n_listed[e] = 0
        outcome.status[e] = FOLDED
        if profiles.durable[user] >= batch.offset[e]:
            outcome.status[e] = REPLAYED
        elif batch.weight[e] == FORGETS:
            forget_profile(profiles, user)
        elif is_duplicate(profiles, user, batch.event_id[e]):
            outcome.status[e] = DUPLICATE
            continue
        else:
            _fold_event(model, partition, separate, recipe, batch, outcome, e)
        if publish and batch.weight[e] != FORGETS:
            now_s = max(batch.time_s[e], profiles.last_s[user])
            n_candidates = rank_for_user(model, recipe, user, now_s)
            outcome.n_listed[e] = best_of(
                model,
                user,
                n_candidates,
                outcome.item[e],
                outcome.score[e],
                outcome.reason[e],
                outcome.because[e],
            )
    return end


@inner_kernel
def _has_room(rows: ItemRows, recipe: Recipe) -> bool:
    needed = link_places_of_event(len(recipe.scan_limits), recipe.links_max)
    return bool(rows.links.used[0] + needed <= len(rows.links.neighbour))


@kernel
def link_places_of_event(history_length: int, links_max: int) -> int:
    """Return the most link places that one event can take.

    Each row of the history may move to its largest block; the row of the event's item may go
    through all sizes, which together are less than twice the largest.
    """
    return (history_length + 2) * block_places(links_max)


@spliced_kernel
def _fold_event(
    model: Model,
    partition: Partition,
    separate: bool,
    recipe: Recipe,
    batch: Batch,
    outcome: Outcome,
    e: int,
) -> None:
    profiles, view = model.profiles, model.items
    user, item = widen(batch.user[e]), widen(batch.item[e])
    offset = batch.offset[e]
    time_s, weight = batch.time_s[e], widen(batch.weight[e])
    seed = mix64(partition.seed[0] ^ np.uint64(offset))
    is_new = not has_seen(profiles, user, item)
    teaches = count_burst(profiles, user, time_s) <= recipe.burst_max
    if not teaches:
        outcome.status[e] = FLOOD
    taught, knows_user = weight if teaches else zero(), False
    if weight > 0 and (is_new or recipe.proposes_seen):
        now_s = max(time_s, profiles.last_s[user])
        n_candidates = rank_for_user(model, recipe, user, now_s)
        knows_user = True
        target = position_of(model.workspace, item, n_candidates)
        outcome.rank[e] = NOT_PROPOSED
        if target >= 0:
            outcome.rank[e] = rank_of(model.workspace, target, n_candidates)
        if teaches and target >= 0:
            learn_ranking(model, partition, separate, n_candidates, target, user, offset, seed)
        if teaches:
            notice_hit(model, partition, separate, outcome.rank[e], offset)
    history, n_history = profiles.history_item[user], widen(profiles.n_history[user])
    n_session = places_in_session(profiles.history_s[user], n_history, time_s)
    guard = partition.rows.durable
    repeats = find_in_history(profiles, user, item) >= 0
    if separate:
        fold_into(
            view.rows, guard, model, user, n_session, item, time_s, taught, offset, seed, repeats
        )
    fold_into(
        partition.rows, guard, model, user, n_session, item, time_s, taught, offset, seed, repeats
    )
    mark_changed(partition.rows, history, n_history, item, taught, offset)
    if guard[item] < offset:
        if not is_listed(view, item):
            list_new_item(view, item)
            place_new_item(view, item, model.item_hash[item], model.workspace)
            knows_user = False
        note_earlier_sight(view, item)
        if taught > 0:
            refresh_popularity(view, item, time_s, taught, recipe.half_lives_s)
    if taught != 0 and not np.isnan(batch.value[e]):
        outcome.expected[e] = learn_rating(
            model, partition, separate, user, item, batch.value[e], offset
        )
    if taught != 0 and is_new and n_history > 0:
        if not knows_user:
            find_user_factor(view, model.learned.crowd, history, n_history, model.workspace)
        learn_factors(model, partition, separate, item, taught, offset)
        solve_if_due(view.rows, view.slim, item, model.workspace)
    if offset % TURN_EVENTS == 0:
        solve_next(view.rows, view.slim, 1, model.workspace)
    fold_profile(profiles, recipe, user, item, time_s, weight, batch.event_id[e], offset, is_new)
