"""How rows take one event in: those of items, links among them, and the user's profile.

Each row skips what it already holds (`durable`), so a replay after a crash changes nothing twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.hashing import mix64
from stream_rec.kernels.item_rows import WEIGHT_UNIT, ItemRows, count_item, see_item, touch
from stream_rec.kernels.jit import inline_kernel, inner_kernel, widen, zero
from stream_rec.kernels.links import add_link
from stream_rec.kernels.profiles import (
    ProfileRows,
    drop_from_history,
    note_event_id,
    push_history,
)
from stream_rec.kernels.seen_items import add_seen
from stream_rec.kernels.sources import AFTER_UNIT, NEAR_WINDOW
from stream_rec.model.ranking import Model, Recipe

EARLIER_LINK_DIVISOR = 8
"""What was taken before the present session counts an eighth as near, and as come before."""

REPEATED_DIVISOR = WEIGHT_UNIT
"""What is taken again counts a sixteenth as wide: a link without any would be taken for none."""


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
    repeats: bool,
) -> None:
    """Add one event to the rows of its item and of the items in the user's history.

    `wide` is about users who took both: what is in the history already (`repeats`) was counted with
    all else there when the later of the two was taken, and hardly adds to it.
    """
    profiles, recipe = model.profiles, model.recipe
    if guard[item] < offset:
        see_item(rows, item, time_s)
    if weight <= 0:
        return
    if guard[item] < offset:
        count_item(rows, item, time_s, weight, recipe.half_lives_s)
    wide = (weight + REPEATED_DIVISOR - 1) // REPEATED_DIVISOR if repeats else weight
    history, n_history = profiles.history_item[user], profiles.n_history[user]
    for r in range(n_history):
        j = widen(history[r])
        if j == item:
            continue
        near, after = _link_weights(weight, r, n_session)
        if guard[j] < offset:
            draw = mix64(seed ^ model.item_hash[j])
            add_link(rows.links, j, item, near, wide, after, recipe.links_max, draw)
        if guard[item] < offset:
            draw = mix64(seed ^ model.item_hash[j] ^ model.item_hash[item])
            add_link(rows.links, item, j, near, wide, zero(), recipe.links_max, draw)


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
def mark_changed(
    rows: ItemRows, history: NDArray[np.int32], n_history: int, item: int, weight: int, offset: int
) -> None:
    """Mark the rows that an event has changed, as `fold_into` adds to them."""
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
