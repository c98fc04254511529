"""Encode and decode profile rows; layout in rows.py."""

from __future__ import annotations

import numpy as np

from stream_rec.errors import RowFormatError
from stream_rec.kernels.profiles import SEEN_BLOCK, ProfileRows, clear_profile, load_seen
from stream_rec.model.ids import ItemIds
from stream_rec.model.rows import (
    HISTORY_TYPE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    VERSION,
    check_version,
    damaged,
    split,
)

HASH_BYTES = 8


def encode_profile(profiles: ProfileRows, ids: ItemIds, user: int) -> bytes:
    """Return the row of the user at a slot."""
    n_history = profiles.n_history[user]
    window = profiles.event_ids.shape[1]
    n_event_ids = min(window, int(profiles.n_event_ids[user]))
    seen = _seen_items(profiles, user)
    head = np.zeros(1, PROFILE_TYPE)
    head["version"] = VERSION
    head["applied"] = profiles.applied[user]
    head["n_event_ids_ever"] = profiles.n_event_ids[user]
    head["last_s"] = profiles.last_s[user]
    head["n_distinct"] = profiles.n_distinct[user]
    rating = profiles.rating[user] if profiles.rating[user].any() else profiles.rating[user, :0]
    head["n_rating"] = len(rating)
    head["n_history"], head["n_seen"], head["n_event_ids"] = n_history, len(seen), n_event_ids
    history = np.empty(n_history, HISTORY_TYPE)
    history["item"] = ids.hashes[profiles.history_item[user, :n_history]]
    history["time_s"] = profiles.history_s[user, :n_history]
    history["offset"] = profiles.history_offset[user, :n_history]
    return b"".join(
        (
            head.tobytes(),
            rating.tobytes(),
            history.tobytes(),
            ids.hashes[seen].tobytes(),
            profiles.event_ids[user, :n_event_ids].tobytes(),
        )
    )


def _seen_items(profiles: ProfileRows, user: int) -> list[int]:
    """Return the slots of the items seen, oldest first: added again they give the same chain."""
    blocks: list[list[int]] = []
    block = int(profiles.seen_head[user])
    n_here = (int(profiles.n_seen[user]) - 1) % SEEN_BLOCK + 1
    while block >= 0:
        blocks.append(profiles.seen_item[block, :n_here].tolist())
        n_here = SEEN_BLOCK
        block = int(profiles.seen_next[block])
    return [item for items in reversed(blocks) for item in items]


def decode_profile(
    profiles: ProfileRows, ids: ItemIds, user: int, key: bytes, value: bytes
) -> None:
    """Set the row of the user at a slot; the pool of seen items must have room (`blocks_needed`).

    A longer history or more event ids than the configuration keeps are cut to the newest.

    Raises
    ------
    RowFormatError
    """
    check_version(key, value)
    head, rating, history, seen, event_ids = split(key, value, PROFILE_TYPE, PROFILE_PARTS)
    if len(rating) not in (0, profiles.rating.shape[1]):
        raise RowFormatError(
            f"expected {profiles.rating.shape[1] - 1} factors as model.n_factors says, came "
            f"{len(rating) - 1} at key {key.hex()}; set model.n_factors as it was, or rebuild the "
            "model from the event log under another app_id"
        )
    n_ever = int(head["n_event_ids_ever"][0])
    if n_ever < len(event_ids):
        raise damaged(key, f"expected {len(event_ids)} or more event ids ever, came {n_ever}")
    clear_profile(profiles, user)
    n_history = min(len(history), profiles.history_item.shape[1])
    profiles.history_item[user, :n_history] = ids.slots_of_hashes(history["item"][:n_history])
    profiles.history_s[user, :n_history] = history["time_s"][:n_history]
    profiles.history_offset[user, :n_history] = history["offset"][:n_history]
    profiles.n_history[user] = n_history
    load_seen(profiles, user, ids.slots_of_hashes(seen))
    profiles.n_distinct[user] = head["n_distinct"][0]
    profiles.last_s[user] = head["last_s"][0]
    profiles.rating[user, : len(rating)] = rating
    profiles.applied[user] = profiles.durable[user] = head["applied"][0]
    _restore_event_ids(profiles, user, event_ids, n_ever)


def _restore_event_ids(
    profiles: ProfileRows, user: int, event_ids: np.ndarray, n_ever: int
) -> None:
    """Put event ids back; a ring of another size is unrolled, newest last."""
    window = profiles.event_ids.shape[1]
    if window == len(event_ids) or n_ever == len(event_ids) <= window:
        profiles.event_ids[user, : len(event_ids)] = event_ids
        profiles.n_event_ids[user] = n_ever
        return
    oldest = n_ever % len(event_ids) if n_ever > len(event_ids) else 0
    newest = np.roll(event_ids, -oldest)[max(0, len(event_ids) - window) :]
    profiles.event_ids[user, : len(newest)] = newest
    profiles.n_event_ids[user] = len(newest)


def blocks_needed(value: bytes) -> int:
    """Return how many blocks of seen items a row takes, at most what its bytes can hold."""
    if len(value) < PROFILE_TYPE.itemsize:
        return 0
    n_seen = int(np.frombuffer(value, PROFILE_TYPE, 1)["n_seen"][0])
    return min(n_seen, len(value) // HASH_BYTES) // SEEN_BLOCK + 1
