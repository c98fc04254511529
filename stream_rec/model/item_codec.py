"""Encode and decode item rows in bulk, by whole columns; and the rows of the items' ids."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import ItemRows
from stream_rec.kernels.links import FIRST_BLOCK, load_links, places_of
from stream_rec.model.ids import ItemIds, hash_ids
from stream_rec.model.rows import (
    HEADER_TYPE,
    ITEM,
    ITEM_ID,
    ITEM_TYPE,
    LINK_TYPE,
    VERSION,
    cut,
    damaged,
    hashes_of_keys,
    item_type,
    read_fixed,
    refuse_nan,
    row_key,
)

COLUMNS = (
    *("applied", "taken", "first_s", "last_s", "bias", "bias_squares"),
    *("popularity", "evidence", "rating"),
)
"""Of `ItemRows`, as they are named in a row too."""
LINK_COLUMNS = ("near", "wide", "after")


def encode_items(
    rows: ItemRows, ids: ItemIds, slots: NDArray[np.int64]
) -> list[tuple[bytes, bytes]]:
    """Return (key, row) of the items at `slots`."""
    fixed = np.zeros(len(slots), _fixed_type(rows))
    for field in COLUMNS:
        fixed[field] = getattr(rows, field)[slots]
    fixed["version"] = VERSION
    fixed["n_popularity"] = rows.popularity.shape[1]
    fixed["n_factors"] = _n_factors(rows)
    fixed["n_links"] = rows.links.length[slots]
    places = places_of(rows.links, slots)
    links = np.empty(len(places), LINK_TYPE)
    links["item"] = ids.hashes[rows.links.neighbour[places]]
    for field in LINK_COLUMNS:
        links[field] = getattr(rows.links, field)[places]
    keys = [row_key(ITEM, item_hash) for item_hash in ids.hashes[slots].tolist()]
    heads, tails = cut(fixed, np.ones(len(slots), np.int64)), cut(links, fixed["n_links"])
    return list(zip(keys, map(add, heads, tails), strict=True))


class Decoded(NamedTuple):
    """Item rows whose format has been checked and whose ids have slots.

    Attributes
    ----------
    slots : int32[n]
        Of the items.
    fixed : item_type[n]
        All but the links.
    links : LINK_TYPE[sum of the numbers of links]
        One row after the other.
    neighbours : int32[len(links)]
        Slots of the items that the links name.
    """

    slots: NDArray[np.int32]
    fixed: NDArray[np.void]
    links: NDArray[np.void]
    neighbours: NDArray[np.int32]

    @property
    def link_places(self) -> int:
        """Return the most places that the links can take in a pool."""
        n_links = self.fixed["n_links"].astype(np.int64)
        return int(np.maximum(2 * n_links, FIRST_BLOCK).sum())


def find_slots(
    ids: ItemIds, keys: Sequence[bytes], values: Sequence[bytes], fixed: NDArray[np.void]
) -> Decoded:
    """Return rows checked by `read_items` with the slots of all items that they name."""
    links_at = fixed.itemsize
    links = np.frombuffer(b"".join([value[links_at:] for value in values]), LINK_TYPE)
    slots = ids.slots_of_hashes(hashes_of_keys(keys))
    return Decoded(slots, fixed, links, ids.slots_of_hashes(links["item"].astype(np.uint64)))


def decode_items(
    rows: ItemRows, places: NDArray[np.int64], decoded: Decoded, links_max: int
) -> None:
    """Set the rows of many items from their encoded form.

    More links than `links_max` are cut to the first, which are the strong ones.

    Parameters
    ----------
    rows : ItemRows
        Modified in place; must have room for the links.
    places : int[n]
        Where in `rows` the items are.
    decoded : Decoded
    links_max : int
    """
    fixed, links = decoded.fixed, decoded.links
    for field in COLUMNS:
        getattr(rows, field)[places] = fixed[field]
    rows.durable[places] = fixed["applied"]
    load_links(
        rows.links,
        places.astype(np.int32),
        fixed["n_links"].astype(np.int64),
        decoded.neighbours,
        np.ascontiguousarray(links["near"]),
        np.ascontiguousarray(links["wide"]),
        np.ascontiguousarray(links["after"]),
        links_max,
    )


def encode_ids(ids: ItemIds, slots: NDArray[np.int64]) -> list[tuple[bytes, bytes]]:
    """Return (key, row) of the ids of the items at `slots`."""
    header = np.zeros(1, HEADER_TYPE)
    header["version"] = VERSION
    head = header.tobytes()
    return [
        (row_key(ITEM_ID, item_hash), head + ids.texts[slot].encode())
        for item_hash, slot in zip(ids.hashes[slots].tolist(), slots.tolist(), strict=True)
    ]


def decode_id(key: bytes, value: bytes) -> str:
    """Return the id that a row holds.

    Raises
    ------
    RowFormatError
        Among others where the id is not the one that the key is the hash of.
    """
    return decode_ids([key], [value])[1][0]


def decode_ids(
    keys: Sequence[bytes], values: Sequence[bytes]
) -> tuple[NDArray[np.uint64], list[str]]:
    """Return the hashes and the ids that many rows hold; raises as `decode_id`."""
    read_fixed(keys, values, HEADER_TYPE)
    texts = []
    for key, value in zip(keys, values, strict=True):
        try:
            texts.append(value[HEADER_TYPE.itemsize :].decode())
        except UnicodeDecodeError:
            raise damaged(key, "expected an id in UTF-8, came other bytes") from None
    hashes = hashes_of_keys(keys)
    wrong = np.flatnonzero(hashes != hash_ids(texts))
    if len(wrong):
        key, text = keys[wrong[0]], texts[wrong[0]]
        raise damaged(key, f"expected the id that hashes to the key, came {text[:64]!r}")
    return hashes, texts


def rows_of_kind(
    encoded: list[tuple[bytes, bytes | None]], kind: bytes
) -> tuple[list[bytes], list[bytes]]:
    """Return the keys and the rows of a kind, without the removed ones."""
    rows = [(key, row) for key, row in encoded if row is not None and key[:1] == kind]
    return [key for key, _ in rows], [row for _, row in rows]


def read_items(
    keys: Sequence[bytes], values: Sequence[bytes], n_half_lives: int, n_factors: int
) -> NDArray[np.void]:
    """Return all of rows but their links, after checking versions, lengths and configuration.

    Returns
    -------
    item_type[n]

    Raises
    ------
    RowFormatError
    """
    head = read_fixed(keys, values, ITEM_TYPE)
    expected = _fixed_bytes(head) + LINK_TYPE.itemsize * head["n_links"].astype(np.int64)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    wrong = np.flatnonzero(lengths != expected)
    if len(wrong):
        x = wrong[0]
        raise damaged(keys[x], f"expected an item row of {expected[x]} bytes, came {lengths[x]}")
    _check_shape(head, n_half_lives, n_factors)
    fixed = item_type(n_half_lives, n_factors)
    rows = np.frombuffer(b"".join([value[: fixed.itemsize] for value in values]), fixed)
    for name in ("first_s", "last_s", "bias", "bias_squares", "popularity", "evidence", "rating"):
        refuse_nan(keys, rows[name])
    return rows


def _fixed_type(rows: ItemRows) -> np.dtype[np.void]:
    return item_type(rows.popularity.shape[1], _n_factors(rows))


def _n_factors(rows: ItemRows) -> int:
    return int(rows.evidence.shape[1] - 1)


def _fixed_bytes(head: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the bytes before the links, of rows of any configuration."""
    n_popularity, n_factors = (
        head[field].astype(np.int64) for field in ("n_popularity", "n_factors")
    )
    per_popularity = item_type(1, 0).itemsize - item_type(0, 0).itemsize
    per_factor = item_type(0, 1).itemsize - item_type(0, 0).itemsize
    return item_type(0, 0).itemsize + per_popularity * n_popularity + per_factor * n_factors


def _check_shape(head: NDArray[np.void], n_half_lives: int, n_factors: int) -> None:
    for field, expected, setting in (
        ("n_popularity", n_half_lives, "model.half_lives_s"),
        ("n_factors", n_factors, "model.n_factors"),
    ):
        if (head[field] != expected).any():
            came = head[field][head[field] != expected][0]
            raise RowFormatError(
                f"expected {expected} numbers as {setting} says, came rows with {came}; set "
                f"{setting} as it was, or rebuild the model from the event log under another app_id"
            )
