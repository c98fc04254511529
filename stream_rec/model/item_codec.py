"""Encode and decode item rows in bulk, by whole columns; and the rows of the items' ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import ItemRows
from stream_rec.kernels.links import load_links, places_of
from stream_rec.model.ids import ItemIds, hash_id
from stream_rec.model.rows import (
    HEADER_TYPE,
    ITEM,
    ITEM_ID,
    ITEM_TYPE,
    LINK_TYPE,
    VERSION,
    damaged,
    hashes_of_keys,
    read_fixed,
    row_key,
)


def encode_items(
    rows: ItemRows, ids: ItemIds, slots: NDArray[np.int64]
) -> list[tuple[bytes, bytes]]:
    """Return (key, row) of the items at `slots`."""
    head = np.zeros(len(slots), ITEM_TYPE)
    head["version"] = VERSION
    for field in ("applied", "taken", "first_s", "last_s", "bias", "bias_squares"):
        head[field] = getattr(rows, field)[slots]
    head["n_popularity"] = rows.popularity.shape[1]
    head["n_factors"] = _n_factors(rows)
    head["n_links"] = rows.links.length[slots]
    places = places_of(rows.links, slots)
    links = np.empty(len(places), LINK_TYPE)
    links["item"] = ids.hashes[rows.links.neighbour[places]]
    for field in ("near", "wide", "after"):
        links[field] = getattr(rows.links, field)[places]
    fixed = (head, rows.popularity[slots], rows.evidence[slots], rows.rating[slots])
    link_ends = np.cumsum(head["n_links"], dtype=np.int64) * LINK_TYPE.itemsize
    return _assemble(ids.hashes[slots], fixed, links.tobytes(), link_ends.tolist())


def _assemble(
    hashes: NDArray[np.uint64],
    fixed: Sequence[NDArray],  # type: ignore[type-arg]
    tail: bytes,
    tail_ends: list[int],
) -> list[tuple[bytes, bytes]]:
    sizes = [part.itemsize * (part.shape[1] if part.ndim == 2 else 1) for part in fixed]
    buffers = [part.tobytes() for part in fixed]
    encoded = []
    tail_start = 0
    for x, item_hash in enumerate(hashes.tolist()):
        pieces = [b[x * n : (x + 1) * n] for b, n in zip(buffers, sizes, strict=True)]
        pieces.append(tail[tail_start : tail_ends[x]])
        tail_start = tail_ends[x]
        encoded.append((row_key(ITEM, item_hash), b"".join(pieces)))
    return encoded


class Decoded(NamedTuple):
    """Item rows whose format has been checked and whose ids have slots.

    Attributes
    ----------
    slots : int32[n]
        Of the items.
    head : ITEM_TYPE[n]
    values : sequence of bytes
    neighbours : int32[sum of the numbers of links]
        Slots of the items that the links name, one row after the other.
    """

    slots: NDArray[np.int32]
    head: NDArray[np.void]
    values: Sequence[bytes]
    neighbours: NDArray[np.int32]

    @property
    def link_places(self) -> int:
        """Return the most places that the links can take in a pool."""
        return int(4 * self.head["n_links"].sum()) + 16 * len(self.slots)


def find_slots(
    ids: ItemIds, keys: Sequence[bytes], values: Sequence[bytes], head: NDArray[np.void]
) -> Decoded:
    """Return rows checked by `read_heads` with the slots of all items that they name."""
    at = ITEM_TYPE.itemsize + (int(_fixed_bytes(head[:1])[0]) if len(head) else 0)
    links = np.frombuffer(b"".join([v[at:] for v in values]), LINK_TYPE)
    slots = ids.slots_of_hashes(hashes_of_keys(keys))
    return Decoded(slots, head, values, ids.slots_of_hashes(links["item"]))


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
    head, values = decoded.head, decoded.values
    n_half_lives, n_factors = rows.popularity.shape[1], _n_factors(rows)
    first, second = ITEM_TYPE.itemsize, ITEM_TYPE.itemsize + 8 * n_half_lives
    third = second + 4 * (n_factors + 1)
    fourth = third + 4 * (n_factors + 1)
    for field in ("applied", "taken", "first_s", "last_s", "bias", "bias_squares"):
        getattr(rows, field)[places] = head[field]
    rows.durable[places] = head["applied"]
    rows.popularity[places] = _columns([v[first:second] for v in values], "<f8", n_half_lives)
    rows.evidence[places] = _columns([v[second:third] for v in values], "<f4", n_factors + 1)
    rows.rating[places] = _columns([v[third:fourth] for v in values], "<f4", n_factors + 1)
    links = np.frombuffer(b"".join([v[fourth:] for v in values]), LINK_TYPE)
    load_links(
        rows.links,
        places.astype(np.int32),
        head["n_links"].astype(np.int64),
        decoded.neighbours,
        np.ascontiguousarray(links["near"]),
        np.ascontiguousarray(links["wide"]),
        np.ascontiguousarray(links["after"]),
        links_max,
    )


def encode_id(ids: ItemIds, slot: int) -> tuple[bytes, bytes]:
    """Return (key, row) of the id of an item."""
    header = np.zeros(1, HEADER_TYPE)
    header["version"] = VERSION
    return row_key(ITEM_ID, int(ids.hashes[slot])), header.tobytes() + ids.texts[slot].encode()


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
    wrong = np.flatnonzero(hashes != np.fromiter(map(hash_id, texts), np.uint64, len(texts)))
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


def read_heads(
    keys: Sequence[bytes], values: Sequence[bytes], n_half_lives: int, n_factors: int
) -> NDArray[np.void]:
    """Return the fixed heads of rows, after checking versions, lengths and configuration.

    Raises
    ------
    RowFormatError
    """
    head = read_fixed(keys, values, ITEM_TYPE)
    expected = (
        ITEM_TYPE.itemsize
        + _fixed_bytes(head)
        + LINK_TYPE.itemsize * head["n_links"].astype(np.int64)
    )
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    wrong = np.flatnonzero(lengths != expected)
    if len(wrong):
        x = wrong[0]
        raise damaged(keys[x], f"expected an item row of {expected[x]} bytes, came {lengths[x]}")
    _check_shape(head, n_half_lives, n_factors)
    return head


def _n_factors(rows: ItemRows) -> int:
    return int(rows.evidence.shape[1] - 1)


def _fixed_bytes(head: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the bytes between head and links: popularity, evidence and rating."""
    n_popularity = head["n_popularity"].astype(np.int64)
    return 8 * n_popularity + 2 * 4 * (head["n_factors"].astype(np.int64) + 1)


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


def _columns(parts: list[bytes], dtype: str, width: int) -> NDArray:  # type: ignore[type-arg]
    return np.frombuffer(b"".join(parts), dtype).reshape(len(parts), width)
