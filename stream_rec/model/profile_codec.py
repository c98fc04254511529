"""Encode and decode profile rows; layout in rows.py."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.profiles import SEEN_BLOCK, ProfileRows, clear_profile
from stream_rec.kernels.seen_items import load_seen, read_seen
from stream_rec.model.ids import ItemIds
from stream_rec.model.rows import (
    HISTORY_TYPE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    VERSION,
    check_version,
    cut,
    damaged,
    refuse_nan,
    split,
)

HASH_BYTES = 8


def encode_profiles(profiles: ProfileRows, ids: ItemIds, users: NDArray[np.int64]) -> list[bytes]:
    """Return the rows of the users at many slots."""
    rating, n_history = profiles.rating[users], profiles.n_history[users]
    is_rated, window = rating.any(axis=1), profiles.event_ids.shape[1]
    n_event_ids = np.minimum(window, profiles.n_event_ids[users])
    seen = np.empty(int(profiles.n_seen[users].sum()), np.int32)
    read_seen(profiles, users, seen)
    head = np.zeros(len(users), PROFILE_TYPE)
    head["version"] = VERSION
    for field in ("applied", "burst", "last_s", "n_distinct", "n_history", "n_seen"):
        head[field] = getattr(profiles, field)[users]
    head["n_event_ids_ever"] = profiles.n_event_ids[users]
    head["n_rating"] = np.where(is_rated, rating.shape[1], 0)
    head["n_event_ids"] = n_event_ids
    in_history = _first(n_history, profiles.history_item.shape[1])
    history = np.empty(int(n_history.sum()), HISTORY_TYPE)
    history["item"] = ids.hashes[profiles.history_item[users][in_history]]
    history["time_s"] = profiles.history_s[users][in_history]
    history["offset"] = profiles.history_offset[users][in_history]
    event_ids = profiles.event_ids[users][_first(n_event_ids, window)]
    parts = (
        cut(head, np.ones(len(users), np.int64)),
        cut(rating[is_rated].reshape(-1), head["n_rating"]),
        cut(history, n_history),
        cut(ids.hashes[seen], head["n_seen"]),
        cut(event_ids, n_event_ids),
    )
    return list(map(b"".join, zip(*parts, strict=True)))


def _first(counts: NDArray[np.integer], width: int) -> NDArray[np.bool_]:
    """Return which places of rows so wide are among the first so many of each."""
    is_first: NDArray[np.bool_] = np.arange(width) < counts[:, None]
    return is_first


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
    for numbers in (head["last_s"], rating, history["time_s"]):
        refuse_nan([key], numbers)
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
    profiles.burst[user] = head["burst"][0]
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
