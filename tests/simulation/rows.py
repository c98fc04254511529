"""Rows of the engine, taken apart into what must be equal bit for bit and what is learned.

Counters, histories, co-occurrence, transitions and popularity depend on a partition's events alone.
What is learned by gradient depends on the other partitions' rows as they were at the moment, and on
a replay that meets rows which are ahead; it is compared within a bound. ``applied`` of an item row
says how far it has come and is bookkeeping: a row may have learned a gradient more or less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream_rec.model.rows import (
    ITEM,
    ITEM_ID,
    ITEM_TYPE,
    LINK_TYPE,
    PROFILE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    WEIGHTS,
    WEIGHTS_TYPE,
    split,
)

LEARNED_FIELDS = frozenset({"bias", "bias_squares", "rating_bias"})
BOOKKEEPING = frozenset({"applied"})
POPULARITY_BYTES = 8


class Parts(NamedTuple):
    """A row: what must be equal, and the numbers that were learned."""

    exact: tuple[bytes, ...]
    learned: tuple[float, ...]


def take_apart(key: bytes, row: bytes) -> Parts | None:
    """Take a row apart; None for an item row that holds nothing but what was learned."""
    kind = key[:1]
    if kind == PROFILE:
        return _take_apart_profile(key, row)
    if kind == ITEM:
        return _take_apart_item(row)
    if kind == WEIGHTS:
        n_weights = int(np.frombuffer(row, WEIGHTS_TYPE, 1)["n_weights"][0])
        sums_at = WEIGHTS_TYPE.itemsize + 4 * n_weights
        weights = np.frombuffer(row, "<f4", n_weights, WEIGHTS_TYPE.itemsize)
        return Parts((), (*weights.tolist(), *np.frombuffer(row[sums_at:], "<f8").tolist()))
    return Parts((row,), ())


def exact_rows(rows: dict[bytes, bytes]) -> dict[bytes, tuple[bytes, ...]]:
    """Return the parts of all rows that must be equal; ids of items without counts left out."""
    parts = {key: take_apart(key, row) for key, row in rows.items() if key[:1] != WEIGHTS}
    counted = {key[1:] for key, part in parts.items() if key[:1] == ITEM and part is not None}
    return {
        key: part.exact
        for key, part in parts.items()
        if part is not None and (key[:1] != ITEM_ID or key[1:] in counted)
    }


def learned_numbers(rows: dict[bytes, bytes]) -> dict[bytes, tuple[float, ...]]:
    """Return what was learned, by row."""
    parts = {key: take_apart(key, row) for key, row in rows.items()}
    return {key: part.learned for key, part in parts.items() if part is not None}


def _take_apart_item(row: bytes) -> Parts | None:
    head = np.frombuffer(row, ITEM_TYPE, 1)
    n_links = int(head["n_links"][0])
    links_at = len(row) - n_links * LINK_TYPE.itemsize
    popularity_ends = ITEM_TYPE.itemsize + POPULARITY_BYTES * int(head["n_popularity"][0])
    if not np.isfinite(head["first_s"][0]) and not n_links:
        return None
    exact = (*_fields(head), row[ITEM_TYPE.itemsize : popularity_ends], row[links_at:])
    numbers = np.frombuffer(row[popularity_ends:links_at], "<f4").tolist()
    return Parts(exact, (float(head["bias"][0]), *numbers))


def _take_apart_profile(key: bytes, row: bytes) -> Parts:
    head, learned, *others = split(key, row, PROFILE_TYPE, PROFILE_PARTS)
    exact = (*_fields(head), head["applied"].tobytes(), *(part.tobytes() for part in others))
    return Parts(exact, tuple(learned.tolist()))


def _fields(head: np.ndarray) -> list[bytes]:
    names = [n for n in head.dtype.names or () if n not in LEARNED_FIELDS | BOOKKEEPING]
    return [head[name].tobytes() for name in names]
