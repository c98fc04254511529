"""Random states of items and users, for tests of what encoding keeps."""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.item_rows import ItemRows, touch
from stream_rec.kernels.links import add_link
from stream_rec.kernels.profiles import note_event_id, push_history
from stream_rec.kernels.seen_items import add_seen
from stream_rec.model.ids import hash_id
from stream_rec.model.items import Items
from stream_rec.model.users import Users

N_HALF_LIVES = 2
N_FACTORS = 3
LINKS_MAX = 16


def empty_items(*, separate: bool = False, **changes: int) -> Items:
    """Return items without rows, partition 0 open."""
    sizes = {"n_half_lives": N_HALF_LIVES, "n_factors": N_FACTORS, "links_max": LINKS_MAX}
    items = Items(**(sizes | changes), separate=separate)  # type: ignore[arg-type]
    items.open_partition(0)
    return items


def fill_items(items: Items, seed: int, n_items: int, partition: int = 0) -> ItemRows:
    """Set every column of a partition's rows at random."""
    random = np.random.default_rng(seed)
    slots = [items.ids.slot(f"item {x}") for x in range(n_items)]
    items.reserve_items()
    items.reserve_links(partition, 4_096)
    rows = items.own[partition]
    for item in slots:
        rows.taken[item] = random.integers(1, 2**40)
        rows.first_s[item], rows.last_s[item] = np.sort(random.uniform(1e9, 2e9, 2))
        rows.popularity[item] = random.normal(0, 1e5, rows.popularity.shape[1])
        rows.bias[item], rows.bias_squares[item] = random.uniform(0.1, 3, 2)
        rows.evidence[item] = random.normal(0, 1, rows.evidence.shape[1])
        rows.rating[item] = random.normal(0, 1, rows.rating.shape[1])
        touch(rows, item, int(random.integers(0, 2**50)))
        for x in range(int(random.integers(0, 30))):
            add = random.integers(0, 1_000, 3).tolist()
            add_link(rows.links, item, int(random.choice(slots)), *add, LINKS_MAX, x)
    return rows


def empty_users(items: Items, *, in_memory_max: int = 100, **changes: object) -> Users:
    """Return users without profiles."""
    sizes = {"history_length": 4, "duplicate_window": 3, "n_factors": N_FACTORS}
    return Users(
        **(sizes | {"read_profiles": None} | changes), in_memory_max=in_memory_max, ids=items.ids
    )


def fill_profile(users: Users, items: Items, name: str, seed: int, n_events: int) -> int:
    """Set every column of a user's profile at random and return the slot."""
    random = np.random.default_rng(seed)
    user = int(users.slots([(0, [hash_id(name)])])[0])
    users.reserve_seen_blocks(n_events)
    profiles = users.rows
    for offset in range(n_events):
        item = items.ids.slot(f"item {random.integers(0, 50)}")
        push_history(profiles, user, item, random.uniform(1e9, 2e9), offset)
        add_seen(profiles, user, item, 40)
        note_event_id(profiles, user, int(random.integers(0, 2**63)))
    profiles.n_distinct[user] = random.integers(0, 1_000)
    profiles.last_s[user] = random.uniform(1e9, 2e9)
    profiles.burst[user] = random.integers(0, 2**16)
    profiles.rating[user] = random.normal(0, 1, profiles.rating.shape[1])
    profiles.applied[user] = n_events
    profiles.dirty[user] = 1
    items.reserve_items()
    return user
