"""Row codecs: what stands in tables and changelogs, byte for byte.

Little-endian, packed, format version 7.

    key     kind i, n or u (1 byte) + hash of the id (8 bytes, big-endian); of the weights just w
    header  version u16 · burst u16, 0 but in u · applied_offset i64
    i       header · taken i64 · first_s f64 · last_s f64 · bias f32 · bias_squares f32
            · H, F, L u32 · popularity f64[H] · evidence f32[F + 1] · rating f32[F + 1]
            · links {hash u64, near i32, wide i32, after i32}[L]
    n       header · the item's id in UTF-8
    u       header · n_event_ids i64 · last_s f64 · n_distinct, F, R, S, D u32 · rating f32[F]
            · history {hash u64, time_s f64, offset i64}[R] · seen u64[S] · event_ids u64[D]
    w       header · W, S u32 · weights f32[W] · sums f64[S]

A row tells its own lengths, so it can be read under another configuration; what does not fit the
configuration is refused with an error that says what to do. A released format never changes: a new
one gets a new version and an upgrade. All rows of a build have the same version:

    1   w without curves and without the feature columns of ADDED_COLUMNS (kernels/ranker.py); it
        is read as if what is missing had taken no steps (weights.py)
    2   w without the feature columns that came with format 3, read likewise
    3   w without the window of hits, u with a burst of 0
    4   w without the curvature of Newton's steps: it starts from the sums of squares that they
        replaced
    5   w without the feature column of slim
    6   w without the feature column of like_id
    7   as above
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import RowFormatError

VERSION = 7
ITEM, ITEM_ID, PROFILE, WEIGHTS = b"i", b"n", b"u", b"w"

HEADER: list[tuple[str, str]] = [("version", "<u2"), ("burst", "<u2"), ("applied", "<i8")]
HEADER_TYPE = np.dtype(HEADER)
ITEM_HEAD: list[tuple[str, str]] = [
    *HEADER,
    ("taken", "<i8"),
    ("first_s", "<f8"),
    ("last_s", "<f8"),
    ("bias", "<f4"),
    ("bias_squares", "<f4"),
    ("n_popularity", "<u4"),
    ("n_factors", "<u4"),
    ("n_links", "<u4"),
]
ITEM_TYPE = np.dtype(ITEM_HEAD)
LINK_TYPE = np.dtype([("item", "<u8"), ("near", "<i4"), ("wide", "<i4"), ("after", "<i4")])
PROFILE_TYPE = np.dtype(
    [
        *HEADER,
        ("n_event_ids_ever", "<i8"),
        ("last_s", "<f8"),
        ("n_distinct", "<u4"),
        ("n_rating", "<u4"),
        ("n_history", "<u4"),
        ("n_seen", "<u4"),
        ("n_event_ids", "<u4"),
    ]
)
HISTORY_TYPE = np.dtype([("item", "<u8"), ("time_s", "<f8"), ("offset", "<i8")])
WEIGHTS_TYPE = np.dtype([*HEADER, ("n_weights", "<u4"), ("n_sums", "<u4")])


KEY_TYPE = np.dtype([("kind", "S1"), ("hash", ">u8")])
ROW_KEY_BYTES = KEY_TYPE.itemsize


def item_type(n_half_lives: int, n_factors: int) -> np.dtype[np.void]:
    """Return the type of all of an item row but its links, under one configuration."""
    return np.dtype(
        [
            *ITEM_HEAD,
            ("popularity", "<f8", (n_half_lives,)),
            ("evidence", "<f4", (n_factors + 1,)),
            ("rating", "<f4", (n_factors + 1,)),
        ]
    )


def row_key(kind: bytes, id_hash: int) -> bytes:
    """Return the key of a row.

    Examples
    --------
    >>> row_key(ITEM, 258).hex()
    '690000000000000102'
    """
    return kind + int(id_hash).to_bytes(8, "big")


def cut(column: NDArray[Any], counts: NDArray[np.integer]) -> list[bytes]:
    """Cut the bytes of a column into runs of so many entries each.

    Examples
    --------
    >>> cut(np.frombuffer(b"abc", np.uint8), np.array([2, 0, 1]))
    [b'ab', b'', b'c']
    """
    joined = column.tobytes()
    ends = np.cumsum(counts, dtype=np.int64) * column.itemsize
    return [joined[start:end] for start, end in pairwise([0, *ends.tolist()])]


def hashes_of_keys(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return the id hashes of the keys of many rows.

    Raises
    ------
    RowFormatError
        A key has another length.
    """
    check_keys(keys)
    return np.frombuffer(b"".join(keys), KEY_TYPE)["hash"].astype(np.uint64)


def check_keys(keys: Sequence[bytes]) -> None:
    """Refuse keys that are not of a kind and a hash; raises RowFormatError."""
    for key in keys:
        if len(key) != ROW_KEY_BYTES:
            raise damaged(key, f"expected a key of {ROW_KEY_BYTES} bytes, came {len(key)}")


def damaged(key: bytes, problem: str) -> RowFormatError:
    """Return the error for a row that is not what was written."""
    return RowFormatError(
        f"{problem}, at key {key.hex()}; the row is damaged: restore the state from the changelog, "
        "that is delete the worker's state folder"
    )


def refuse_nan(keys: Sequence[bytes], column: NDArray[Any]) -> None:
    """Refuse rows with a NaN among the numbers of a column, which has an entry or more for each.

    What is computed with one is NaN, and from then on what was learned with that.

    Raises
    ------
    RowFormatError
    """
    is_nan = np.isnan(column)
    if is_nan.any():
        row = np.flatnonzero(is_nan.reshape(len(keys), -1).any(axis=1))[0]
        raise damaged(keys[row], "expected numbers, came NaN")


def check_version(key: bytes, row: bytes) -> None:
    """Refuse a row that this build cannot read.

    Raises
    ------
    RowFormatError
    """
    if len(row) < HEADER_TYPE.itemsize:
        raise damaged(
            key, f"expected a row of at least {HEADER_TYPE.itemsize} bytes, came {len(row)}"
        )
    version = int.from_bytes(row[:2], "little")
    if version > VERSION:
        raise RowFormatError(
            f"row format {version} is newer than this build reads (1–{VERSION}), at key "
            f"{key.hex()}; upgrade the worker"
        )
    if version < 1:
        raise damaged(key, f"expected row format 1–{VERSION}, came {version}")


def read_fixed(
    keys: Sequence[bytes], rows: Sequence[bytes], head: np.dtype[np.void]
) -> NDArray[np.void]:
    """Return the fixed heads of rows of one kind, after checking their keys and versions.

    Raises
    ------
    RowFormatError
    """
    check_keys(keys)
    n_bytes = head.itemsize
    parts = [row[:n_bytes] for row in rows]
    if any(len(part) != n_bytes for part in parts):
        for key, row in zip(keys, rows, strict=True):
            check_version(key, row)
            if len(row) < n_bytes:
                raise damaged(key, f"expected at least {n_bytes} bytes, came {len(row)}")
    heads = np.frombuffer(b"".join(parts), head)
    versions = heads["version"]
    for x in np.flatnonzero((versions < 1) | (versions > VERSION)).tolist():
        check_version(keys[x], rows[x])
    return heads


def split(
    key: bytes,
    row: bytes,
    head: np.dtype[np.void],
    parts: Sequence[tuple[str, np.dtype[np.void] | str]],
) -> list[NDArray]:  # type: ignore[type-arg]
    """Read one row: its fixed head, then for each part the array whose length the head names.

    Raises
    ------
    RowFormatError
        The row's length is not what its head says.
    """
    if len(row) < head.itemsize:
        raise damaged(key, f"expected at least {head.itemsize} bytes, came {len(row)}")
    fixed = np.frombuffer(row, head, 1)
    arrays: list[NDArray] = [fixed]  # type: ignore[type-arg]
    at = head.itemsize
    for length_field, dtype in parts:
        count, size = int(fixed[length_field][0]), np.dtype(dtype).itemsize
        if at + count * size > len(row):
            raise damaged(
                key,
                f"expected {count} entries of {length_field} at byte {at}, came {len(row)} bytes",
            )
        arrays.append(np.frombuffer(row, dtype, count, at))
        at += count * size
    if at != len(row):
        raise damaged(key, f"expected a row of {at} bytes, came {len(row)}")
    return arrays


PROFILE_PARTS: list[tuple[str, np.dtype[np.void] | str]] = [
    ("n_rating", "<f4"),
    ("n_history", HISTORY_TYPE),
    ("n_seen", "<u8"),
    ("n_event_ids", "<u8"),
]
WEIGHTS_PARTS: list[tuple[str, np.dtype[np.void] | str]] = [("n_weights", "<f4"), ("n_sums", "<f8")]
