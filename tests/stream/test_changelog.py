"""The stream's own records: what is written is read back, what is newer is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.errors import RowFormatError
from stream_rec.stream.changelog import (
    NO_EPOCH,
    Position,
    Removing,
    Watermark,
    decode_epoch,
    encode_epoch,
    era_of,
    make_epoch,
)

offsets = st.integers(-1, 2**63 - 1)
generations = st.integers(0, 2**31 - 1)


@given(
    offsets, st.integers(1, 2**32 - 1), st.binary(min_size=16, max_size=16), offsets, st.booleans()
)
def test_watermark_is_read_back(
    offset: int, n_partitions: int, topic_id: bytes, removed: int, is_rebuilding: bool
) -> None:
    watermark = Watermark(offset, n_partitions, topic_id, removed, is_rebuilding)
    assert Watermark.decode(watermark.encode()) == watermark


@given(offsets, offsets)
def test_position_is_read_back(offset: int, epoch: int) -> None:
    assert Position.decode(Position(offset, epoch).encode()) == Position(offset, epoch)


@given(st.integers(0, 255), offsets, st.lists(st.binary(max_size=300)))
def test_list_of_removals_is_read_back(n_lists: int, offset: int, keys: list[bytes]) -> None:
    removing = Removing(n_lists, offset, tuple(keys))
    assert Removing.decode(removing.encode()) == removing


def test_layouts_of_version_1_are_still_read() -> None:
    watermark = bytes.fromhex("0100080000000201000000000000" + "74" * 16)
    assert Watermark.decode(watermark) == Watermark(258, 8, b"t" * 16)
    position = bytes.fromhex("010002010000000000000300000000000000")
    assert Position.decode(position) == Position(258, 3)


def test_layouts_of_version_2_are_still_read() -> None:
    numbers = "020001000800000002010000000000000300000000000000"
    watermark = Watermark(258, 8, b"t" * 16, removed=3, is_rebuilding=True)
    assert Watermark.decode(bytes.fromhex(numbers + "74" * 16)) == watermark
    position = bytes.fromhex("020002010000000000000300000000000000")
    assert Position.decode(position) == Position(258, 3)


def test_layouts_of_version_3_are_still_read() -> None:
    numbers = "030001000800000002010000000000000300000000000000"
    watermark = Watermark(258, 8, b"t" * 16, removed=3, is_rebuilding=True)
    assert Watermark.decode(bytes.fromhex(numbers + "74" * 16)) == watermark
    position = bytes.fromhex("030002010000000000000300000000000000")
    assert Position.decode(position) == Position(258, 3)


def test_layouts_of_version_4_are_frozen() -> None:
    watermark = Watermark(258, 8, b"t" * 16, removed=3, is_rebuilding=True)
    numbers = "040001000800000002010000000000000300000000000000"
    assert watermark.encode().hex() == numbers + "74" * 16
    assert Position(258, 3).encode().hex() == "040002010000000000000300000000000000"
    removing = Removing(2, 258, (b"ab", b"c"))
    assert removing.encode().hex() == "0400020201000000000000" + "02006162" + "010063"
    assert encode_epoch(make_epoch(1, 2)) == [("epoch", bytes.fromhex("0000000100000002"))]


@given(generations, generations, generations, generations)
def test_epochs_are_ordered_by_era_then_generation(
    era: int, generation: int, other_era: int, other: int
) -> None:
    first, second = make_epoch(era, generation), make_epoch(other_era, other)
    assert (first < second) == ((era, generation) < (other_era, other))
    assert era_of(first) == era


@given(offsets)
def test_epoch_is_read_back_among_other_headers(epoch: int) -> None:
    assert decode_epoch([("other", b"x"), *encode_epoch(epoch)]) == epoch


@pytest.mark.parametrize("headers", [None, [], [("epoch", b"short")], [("epoch", None)]])
def test_record_without_an_epoch_is_older_than_all(headers: list | None) -> None:
    assert decode_epoch(headers) == NO_EPOCH


VALUES = {
    Watermark: Watermark(1, 2).encode(),
    Position: Position(1, 2).encode(),
    Removing: Removing(1, 2, (b"a key",)).encode(),
}
layouts = pytest.mark.parametrize("layout", VALUES)


@layouts
def test_newer_format_is_refused(layout: type) -> None:
    with pytest.raises(RowFormatError, match="format 5 is newer than this build reads"):
        layout.decode(b"\x05\x00" + VALUES[layout][2:])


@layouts
@pytest.mark.parametrize("n_bytes", [0, 1, 5, 12, 17])
def test_truncated_record_is_refused(layout: type, n_bytes: int) -> None:
    with pytest.raises(RowFormatError):
        layout.decode(VALUES[layout][:n_bytes])
