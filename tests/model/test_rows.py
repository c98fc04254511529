"""Row codecs: layouts that never change, and rows that are refused before anything is changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.errors import RowFormatError
from stream_rec.model import rows
from stream_rec.model.ids import ItemIds, hash_id
from stream_rec.model.item_codec import decode_id, encode_ids
from stream_rec.model.rows import (
    HEADER_TYPE,
    HISTORY_TYPE,
    ITEM,
    ITEM_ID,
    ITEM_TYPE,
    LINK_TYPE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    VERSION,
    WEIGHTS_TYPE,
    check_version,
    hashes_of_keys,
    row_key,
    split,
)

KEY = row_key(ITEM, 7)
KINDS = "HEADER", "ITEM", "PROFILE", "WEIGHTS"


def layout(dtype: np.dtype) -> list[tuple[str, str, int]]:
    """Return name, type and byte offset of every field."""
    assert dtype.fields is not None
    return [(name, field.str, at) for name, (field, at) in dtype.fields.items()]


def test_layouts_are_packed_little_endian_as_documented() -> None:
    assert layout(HEADER_TYPE) == [
        ("version", "<u2", 0),
        ("burst", "<u2", 2),
        ("applied", "<i8", 4),
    ]
    assert layout(LINK_TYPE) == [
        ("item", "<u8", 0),
        ("near", "<i4", 8),
        ("wide", "<i4", 12),
        ("after", "<i4", 16),
    ]
    assert layout(HISTORY_TYPE) == [("item", "<u8", 0), ("time_s", "<f8", 8), ("offset", "<i8", 16)]
    sizes = {name: getattr(rows, f"{name}_TYPE").itemsize for name in KINDS}
    assert sizes == {"HEADER": 12, "ITEM": 56, "PROFILE": 48, "WEIGHTS": 20}
    for dtype in (ITEM_TYPE, PROFILE_TYPE, WEIGHTS_TYPE):
        assert layout(dtype)[:3] == layout(HEADER_TYPE)


@given(st.sampled_from([ITEM, ITEM_ID, rows.PROFILE]), st.integers(0, 2**64 - 1))
def test_keys_name_kind_and_hash(kind: bytes, id_hash: int) -> None:
    key = row_key(kind, id_hash)
    assert (key[:1], len(key), hashes_of_keys([key])[0]) == (kind, rows.ROW_KEY_BYTES, id_hash)


def test_newer_version_asks_for_an_upgrade() -> None:
    row = (VERSION + 1).to_bytes(2, "little") + bytes(100)
    newer = rf"format {VERSION + 1} is newer .* reads .* upgrade the worker"
    with pytest.raises(RowFormatError, match=newer):
        check_version(KEY, row)


@pytest.mark.parametrize("row", [b"", bytes(11), bytes(100)])
def test_no_version_asks_to_restore_the_state(row: bytes) -> None:
    with pytest.raises(RowFormatError, match=rf"{KEY.hex()}.* delete the worker's state folder"):
        check_version(KEY, row)


counts = st.integers(0, 4)


@given(counts, counts, counts, counts, st.data())
def test_any_other_length_than_the_head_says_is_refused(
    n_rating: int, n_history: int, n_seen: int, n_event_ids: int, data: st.DataObject
) -> None:
    head = np.zeros(1, PROFILE_TYPE)
    lengths = {
        "n_rating": n_rating,
        "n_history": n_history,
        "n_seen": n_seen,
        "n_event_ids": n_event_ids,
    }
    for field, count in lengths.items():
        head[field] = count
    row = head.tobytes() + bytes(4 * n_rating + 24 * n_history + 8 * (n_seen + n_event_ids))
    parts = split(KEY, row, PROFILE_TYPE, PROFILE_PARTS)
    assert [len(part) for part in parts[1:]] == list(lengths.values())
    other = data.draw(st.integers(0, len(row) + 30).filter(lambda n: n != len(row)))
    with pytest.raises(RowFormatError, match="delete the worker's state folder"):
        split(KEY, (row + bytes(30))[:other], PROFILE_TYPE, PROFILE_PARTS)


@given(st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable()))
def test_ids_survive_encoding(text: str) -> None:
    ids = ItemIds()
    [(key, row)] = encode_ids(ids, np.array([ids.slot(text)]))
    assert key == row_key(ITEM_ID, hash_id(text))
    assert decode_id(key, row) == text


@pytest.mark.parametrize("text", [b"alieN", b"", b"\xff"])
def test_id_that_is_not_the_one_of_its_key_is_refused(text: bytes) -> None:
    ids = ItemIds()
    [(key, row)] = encode_ids(ids, np.array([ids.slot("alien")]))
    with pytest.raises(RowFormatError, match="delete the worker's state folder"):
        decode_id(key, row[: HEADER_TYPE.itemsize] + text)


def test_item_known_by_its_hash_gets_its_text_when_it_comes() -> None:
    ids = ItemIds()
    slots = ids.slots_of_hashes(np.array([hash_id("b"), hash_id("a"), hash_id("b")], np.uint64))
    assert slots[0] == slots[2] != slots[1]
    assert ids.slot("a") == slots[1]
    assert ids.texts[slots[1]] == "a"


@given(st.lists(st.text(max_size=3), max_size=40))
def test_slots_are_given_in_order_of_first_sight(texts: list[str]) -> None:
    ids = ItemIds()
    slots = [ids.slot(text) for text in texts]
    distinct = list(dict.fromkeys(texts))
    assert slots == [distinct.index(text) for text in texts]
    assert ids.texts == distinct
    assert [ids.find(text) for text in distinct] == list(range(len(distinct)))
    assert ids.hashes[: len(ids)].tolist() == [hash_id(text) for text in distinct]
    assert ids.find("never seen") is None


def test_slots_are_kept_when_columns_grow() -> None:
    ids = ItemIds()
    slots = [ids.slot(f"i{x}") for x in range(3_000)]
    assert slots == list(range(3_000)) == [ids.slot(f"i{x}") for x in range(3_000)]
    assert ids.hashes[2_999] == hash_id("i2999")
