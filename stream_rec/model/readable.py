"""Rows for people: checked and taken apart, ids in place of hashes where they are known.

Nothing here needs a model: a row tells its own lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.model.item_codec import decode_id, read_items
from stream_rec.model.rows import (
    ITEM,
    ITEM_ID,
    ITEM_TYPE,
    LINK_TYPE,
    PROFILE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    ROW_KEY_BYTES,
    WEIGHTS,
    WEIGHTS_PARTS,
    WEIGHTS_TYPE,
    check_version,
    damaged,
    split,
)

NameOf = Callable[[int], str]
"""Hash of an item's id -> the id, or something that stands for it."""

KINDS = {ITEM: "items", ITEM_ID: "ids", PROFILE: "profiles", WEIGHTS: "weights"}
ID_KEY_FIRST = (ITEM, ITEM_ID, PROFILE)
LINK_FIELDS = ("near", "wide", "after")


def check_row(key: bytes, value: bytes, n_half_lives: int, n_factors: int) -> str:
    """Check one row as a worker with this configuration would; return its kind.

    Raises
    ------
    RowFormatError
        It is of a newer format, is damaged, or was written under another configuration.
    """
    kind = key[:1]
    if kind not in KINDS or (kind in ID_KEY_FIRST and len(key) != ROW_KEY_BYTES):
        raise damaged(key, "expected the key of an item, an id, a profile or weights")
    check_version(key, value)
    if kind == ITEM:
        read_items([key], [value], n_half_lives, n_factors)
    elif kind == ITEM_ID:
        decode_id(key, value)
    elif kind == PROFILE:
        head = split(key, value, PROFILE_TYPE, PROFILE_PARTS)[0]
        if int(head["n_rating"][0]) not in (0, n_factors + 1):
            raise RowFormatError(
                f"expected {n_factors} factors as model.n_factors says, came "
                f"{int(head['n_rating'][0]) - 1} at key {key.hex()}"
            )
    else:
        split(key, value, WEIGHTS_TYPE, WEIGHTS_PARTS)
    return KINDS[kind]


def applied_offset(value: bytes) -> int:
    """Return the highest event offset in a row that `check_row` has passed."""
    return int.from_bytes(value[4:12], "little", signed=True)


def describe_profile(key: bytes, value: bytes, name_of: NameOf) -> dict[str, Any]:
    """Return what is known of a user, ready for JSON.

    Raises
    ------
    RowFormatError
    """
    check_version(key, value)
    head, rating, history, seen, event_ids = split(key, value, PROFILE_TYPE, PROFILE_PARTS)
    return {
        "applied_offset": int(head["applied"][0]),
        "last_event_s": _finite(head["last_s"][0]),
        "distinct_items": int(head["n_distinct"][0]),
        "history": [
            {
                "item": name_of(int(entry["item"])),
                "ts": float(entry["time_s"]),
                "offset": int(entry["offset"]),
            }
            for entry in history
        ],
        "seen": [name_of(int(item)) for item in seen],
        "event_ids_kept": len(event_ids),
        "rating_bias": float(rating[0]) if len(rating) else None,
    }


def describe_item(
    key: bytes, value: bytes, half_lives_s: Sequence[float], n_links: int, name_of: NameOf
) -> dict[str, Any]:
    """Return what a partition knows of an item, with its `n_links` strongest links.

    Raises
    ------
    RowFormatError
    """
    check_version(key, value)
    n_factors = int(np.frombuffer(value[: ITEM_TYPE.itemsize], ITEM_TYPE)["n_factors"][0])
    fixed = read_items([key], [value], len(half_lives_s), n_factors)
    head, popularity = fixed[0], fixed[0]["popularity"]
    links = np.frombuffer(value, LINK_TYPE, -1, fixed.itemsize)
    last_s = _finite(head["last_s"])
    return {
        "applied_offset": int(head["applied"]),
        "taken": int(head["taken"]) / WEIGHT_UNIT,
        "first_event_s": _finite(head["first_s"]),
        "last_event_s": last_s,
        "popularity_at_last_event": {
            f"{half_life_s:g}s": float(2.0 ** (logarithm - (last_s or 0.0) / half_life_s))
            for half_life_s, logarithm in zip(half_lives_s, popularity.tolist(), strict=True)
        },
        "n_links": len(links),
        "links": [
            {"item": name_of(int(link["item"])), **{f: int(link[f]) for f in LINK_FIELDS}}
            for link in _strongest(links, n_links)
        ],
    }


def _strongest(links: NDArray[np.void], n: int) -> NDArray[np.void]:
    order = np.argsort(-links["wide"].astype(np.int64), kind="stable")
    return links[order[:n]]


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
