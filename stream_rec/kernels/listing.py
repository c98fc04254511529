"""Lists as JSON: the entries of many lists, written into one buffer.

    {"item":"0816692","score":1.9021,"reasons":[{"source":"taken_together","because":"0133093"}]},…

What does not change is copied: the JSON text of every item stands in `Pieces` once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inline_kernel, inner_kernel, kernel, place_of, widen

SCORE_DECIMALS = 5
_SCALE = 10.0**SCORE_DECIMALS
_SCORE_BYTES_MAX = 32
_ZERO, _POINT, _MINUS = ord("0"), ord("."), ord("-")


def _literal(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


_ITEM = _literal('{"item":')
_SCORE = _literal(',"score":')
_REASON = _literal(',"reasons":[{"source":')
_BECAUSE = _literal(',"because":')
_END = _literal("}]},")
_FIXED_BYTES = len(_ITEM) + len(_SCORE) + len(_REASON) + len(_BECAUSE) + len(_END)


class Pieces(NamedTuple):
    """Texts in one pool of bytes; piece p is ``text[start[p] : start[p] + length[p]]``.

    Attributes
    ----------
    text : uint8[B]
    start : int64[P]
    length : int32[P]
    """

    text: NDArray[np.uint8]
    start: NDArray[np.int64]
    length: NDArray[np.int32]


def pieces_of(texts: Sequence[bytes]) -> Pieces:
    """Put texts into a pool."""
    length = np.fromiter(map(len, texts), np.int32, len(texts))
    start = np.cumsum(length, dtype=np.int64) - length
    return Pieces(np.frombuffer(b"".join(texts), np.uint8), start, length)


@kernel
def write_lists(
    names: Pieces,
    sources: Pieces,
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    reason: NDArray[np.int8],
    because: NDArray[np.int32],
    n_listed: NDArray[np.int32],
    first: int,
    buffer: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> int:
    """Write the entries of lists from `first` on, as far as the buffer has room.

    Parameters
    ----------
    names : Pieces
        Of the items, by slot.
    sources : Pieces
        By feature column; the last stands for −1.
    item, because : int32[E, n]
        Slots; −1 as a cause is none.
    score : float32[E, n]
        Finite; written with at most `SCORE_DECIMALS` decimals.
    reason : int8[E, n]
    n_listed : int32[E]
    first : int
    buffer : uint8[B]
        Written from the end of list ``first − 1`` on.
    ends : int64[E]
        Written: where each list ends in the buffer, with the comma after its last entry.

    Returns
    -------
    int
        The first list not written; E at the end.
    """
    at = int(ends[first - 1]) if first > 0 else 0
    for e in range(first, len(n_listed)):
        if at + _bytes_max(names, sources, item[e], because[e], widen(n_listed[e])) > len(buffer):
            return e
        for x in range(n_listed[e]):
            name, cause = item[e, x], because[e, x]
            source = reason[e, x] if reason[e, x] >= 0 else len(sources.start) - 1
            at = _copy(buffer, at, _ITEM, 0, len(_ITEM))
            at = _copy(buffer, at, names.text, names.start[name], names.length[name])
            at = _copy(buffer, at, _SCORE, 0, len(_SCORE))
            at = _write_score(buffer, at, np.float64(score[e, x]))
            at = _copy(buffer, at, _REASON, 0, len(_REASON))
            at = _copy(buffer, at, sources.text, sources.start[source], sources.length[source])
            if cause >= 0:
                at = _copy(buffer, at, _BECAUSE, 0, len(_BECAUSE))
                at = _copy(buffer, at, names.text, names.start[cause], names.length[cause])
            at = _copy(buffer, at, _END, 0, len(_END))
        ends[e] = at
    return len(n_listed)


@inner_kernel
def _bytes_max(
    names: Pieces,
    sources: Pieces,
    item: NDArray[np.int32],
    because: NDArray[np.int32],
    n: int,
) -> int:
    """Return more bytes than a list can take."""
    n_bytes = n * (_FIXED_BYTES + _SCORE_BYTES_MAX + len(sources.text))
    for x in range(n):
        n_bytes += names.length[item[x]]
        n_bytes += names.length[because[x]] if because[x] >= 0 else 0
    return int(n_bytes)


@inline_kernel
def _copy(
    buffer: NDArray[np.uint8], at: int, text: NDArray[np.uint8], start: int, length: int
) -> int:
    """Copy bytes to a place of the buffer; return the place after them."""
    for x in range(place_of(length)):
        buffer[place_of(at) + x] = text[place_of(start) + x]
    return at + length


@inner_kernel
def _write_score(buffer: NDArray[np.uint8], at: int, score: float) -> int:
    """Write a score, rounded and without needless zeros; return the place after it."""
    scaled = np.int64(np.rint(score * _SCALE))
    if scaled < 0:
        buffer[at] = _MINUS
        at += 1
        scaled = -scaled
    whole, rest = scaled // np.int64(_SCALE), scaled % np.int64(_SCALE)
    n_digits, power = 1, np.int64(10)
    while whole >= power:
        n_digits += 1
        power *= 10
    for x in range(n_digits):
        buffer[at + n_digits - 1 - x] = _ZERO + whole % 10
        whole //= 10
    at += n_digits
    buffer[at] = _POINT
    at += 1
    n_decimals = SCORE_DECIMALS
    while n_decimals > 1 and rest % 10 == 0:
        rest //= 10
        n_decimals -= 1
    for x in range(n_decimals):
        buffer[at + n_decimals - 1 - x] = _ZERO + rest % 10
        rest //= 10
    return at + n_decimals
