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

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.bursts import count_burst
from stream_rec.kernels.candidates import position_of
from stream_rec.kernels.hashing import mix64
from stream_rec.kernels.held import Held
from stream_rec.kernels.item_rows import ItemRows, count_item, see_item, touch
from stream_rec.kernels.jit import (
    allocating_kernel,
    inline_kernel,
    inner_kernel,
    kernel,
    spliced_kernel,
    widen,
    zero,
)
from stream_rec.kernels.links import add_link, block_places
from stream_rec.kernels.profiles import (
    ProfileRows,
    drop_from_history,
    forget_profile,
    is_duplicate,
    note_event_id,
    places_in_session,
    push_history,
)
from stream_rec.kernels.ranker import rank_of
from stream_rec.kernels.seen_items import add_seen, has_seen
from stream_rec.kernels.sources import AFTER_UNIT, NEAR_WINDOW
from stream_rec.kernels.view import is_listed, list_new_item, refresh_popularity
from stream_rec.model.factors import find_user_factor, place_new_item
from stream_rec.model.learned import Partition
from stream_rec.model.learning import learn_factors, learn_ranking, learn_rating, notice_hit
from stream_rec.model.ranking import Model, Recipe, best_of, rank_for_user

FOLDED, DUPLICATE, REPLAYED, FLOOD = 0, 1, 2, 3
"""What became of an event; one of a flood taught nothing."""
FORGETS = 0
"""As weight of an event: it asks to forget its user."""
NOT_SCORED, NOT_PROPOSED = -2, -1
"""Instead of the rank of the item taken: it was not to be proposed; not among the candidates."""
EARLIER_LINK_DIVISOR = 8
"""What was taken before the present session counts an eighth as near, and as come before."""


class Batch(NamedTuple):
    """Events as columns of E entries: those of a partition one after the other, in offset order.

    Attributes
    ----------
    user, item : int32[E]
        Slots.
    time_s : float64[E]
    weight : int32[E]
        In units of 1/WEIGHT_UNIT; negative for rejections, `FORGETS` where the user is to be
        forgotten (then only user and offset count).
    value : float64[E]
        The rating, NaN where the event is none.
    event_id : uint64[E]
        Hash of the event id, 0 where there is none.
    offset : int64[E]
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time_s: NDArray[np.float64]
    weight: NDArray[np.int32]
    value: NDArray[np.float64]
    event_id: NDArray[np.uint64]
    offset: NDArray[np.int64]


class Outcome(NamedTuple):
    """What became of each event of a batch, E entries; lists of n.

    Attributes
    ----------
    status : uint8[E]
    rank : int32[E]
        Place of the item taken in the list as it stood before, from 0.
    expected : float32[E]
        The rating that was expected before, NaN where the event is no rating.
    item, because : int32[E, n]
        The refreshed list, and the item of the history that speaks most for each (−1: none).
    score : float32[E, n]
    reason : int8[E, n]
        Feature column of the source that speaks most for it.
    n_listed : int32[E]
    """

    status: NDArray[np.uint8]
    rank: NDArray[np.int32]
    expected: NDArray[np.float32]
    item: NDArray[np.int32]
    because: NDArray[np.int32]
    score: NDArray[np.float32]
    reason: NDArray[np.int8]
    n_listed: NDArray[np.int32]


@allocating_kernel
def fold_batch(
    model: Held[Model],
    partition: Held[Partition],
    separate: bool,
    batch: Held[Batch],
    outcome: Held[Outcome],
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
    return _fold_events(
        model.value, partition.value, separate, batch.value, outcome.value, first, end, publish
    )


@inner_kernel
def _fold_events(
    model: Model,
    partition: Partition,
    separate: bool,
    batch: Batch,
    outcome: Outcome,
    first: int,
    end: int,
    publish: bool,
) -> int:
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
            n_candidates = rank_for_user(
                model.items, model.learned, profiles, user, now_s, model.workspace, recipe
            )
            outcome.n_listed[e] = best_of(
                model.items,
                model.workspace,
                recipe,
                profiles.history_item[user],
                profiles.n_history[user],
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
        n_candidates = rank_for_user(
            view, model.learned, profiles, user, now_s, model.workspace, recipe
        )
        knows_user = True
        target = position_of(model.workspace, item, n_candidates)
        outcome.rank[e] = NOT_PROPOSED
        if target >= 0:
            outcome.rank[e] = rank_of(model.workspace, target, n_candidates)
        if teaches and target >= 0:
            learn_ranking(model, partition, separate, n_candidates, target, user, offset, seed)
        if teaches:
            notice_hit(model, partition, separate, outcome.rank[e], offset)
    history, n_history = profiles.history_item[user], profiles.n_history[user]
    n_session = places_in_session(profiles.history_s[user], n_history, time_s)
    guard = partition.rows.durable
    if separate:
        fold_into(view.rows, guard, model, user, n_session, item, time_s, taught, offset, seed)
    fold_into(partition.rows, guard, model, user, n_session, item, time_s, taught, offset, seed)
    _mark_changed(partition.rows, history, n_history, item, taught, offset)
    if guard[item] < offset:
        if not is_listed(view, item):
            list_new_item(view, item)
            place_new_item(view, item, model.item_hash[item], model.workspace)
            knows_user = False
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
    fold_profile(profiles, recipe, user, item, time_s, weight, batch.event_id[e], offset, is_new)


@inner_kernel
def fold_into(
    rows: ItemRows,
    guard: NDArray[np.int64],
    model: Model,
    user: int,
    n_session: int,
    item: int,
    time_s: float,
    weight: int,
    offset: int,
    seed: np.uint64,
) -> None:
    """Add one event to the rows of its item and of the items in the user's history."""
    profiles, recipe = model.profiles, model.recipe
    if guard[item] < offset:
        see_item(rows, item, time_s)
    if weight <= 0:
        return
    if guard[item] < offset:
        count_item(rows, item, time_s, weight, recipe.half_lives_s)
    history, n_history = profiles.history_item[user], profiles.n_history[user]
    for r in range(n_history):
        j = widen(history[r])
        if j == item:
            continue
        near, after = _link_weights(weight, r, n_session)
        if guard[j] < offset:
            draw = mix64(seed ^ model.item_hash[j])
            add_link(rows.links, j, item, near, weight, after, recipe.links_max, draw)
        if guard[item] < offset:
            draw = mix64(seed ^ model.item_hash[j] ^ model.item_hash[item])
            add_link(rows.links, item, j, near, weight, zero(), recipe.links_max, draw)


@inline_kernel
def _link_weights(weight: int, r: int, n_session: int) -> tuple[int, int]:
    """Return what an event adds as near and as after to the item at a place of the history."""
    if r >= NEAR_WINDOW:
        return zero(), zero()
    near, after = weight, weight * ((AFTER_UNIT + (r + 1) // 2) // (r + 1))
    if r < n_session:
        return near, after
    rounding = EARLIER_LINK_DIVISOR - 1
    return (near + rounding) // EARLIER_LINK_DIVISOR, (after + rounding) // EARLIER_LINK_DIVISOR


@inner_kernel
def _mark_changed(
    rows: ItemRows, history: NDArray[np.int32], n_history: int, item: int, weight: int, offset: int
) -> None:
    if rows.durable[item] < offset:
        touch(rows, item, offset)
    if weight <= 0:
        return
    for r in range(n_history):
        if rows.durable[history[r]] < offset:
            touch(rows, widen(history[r]), offset)


@inner_kernel
def fold_profile(
    profiles: ProfileRows,
    recipe: Recipe,
    user: int,
    item: int,
    time_s: float,
    weight: int,
    event_id: int,
    offset: int,
    is_new: bool,
) -> None:
    """Add one event to what is known of its user."""
    note_event_id(profiles, user, event_id)
    if is_new:
        add_seen(profiles, user, item, recipe.seen_max)
    if weight > 0:
        push_history(profiles, user, item, time_s, offset)
        profiles.n_distinct[user] += is_new
    else:
        drop_from_history(profiles, user, item)
    profiles.last_s[user] = max(profiles.last_s[user], time_s)
    profiles.applied[user] = offset
    profiles.dirty[user] = 1
