"""RocksDB stores: one batch is all or nothing, and a closed store can be opened again."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from pathlib import Path

import pytest

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import ITEMS, POSITION_KEY, PROFILES, WATERMARK_KEY, Position
from stream_rec.stream.stores import Stores, in_parts

COMPACTION_TIMEOUT_S = 30.0


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "state", WorkerSettings())


def test_new_store_is_at_the_beginning(stores: Stores) -> None:
    assert stores.open(ITEMS, 3) == Position()


def test_rows_and_position_are_there_after_reopening(stores: Stores) -> None:
    stores.open(ITEMS, 3)
    stores.write(ITEMS, 3, [(b"a", b"1"), (b"b", b"2"), (POSITION_KEY, Position(7, 1).encode())])
    stores.close(3)
    assert stores.open(ITEMS, 3) == Position(7, 1)
    assert stores.read(ITEMS, 3, [b"b", b"none", b"a"]) == [b"2", None, b"1"]


def test_scan_leaves_out_reserved_rows(stores: Stores) -> None:
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [(POSITION_KEY, Position().encode()), (b"\x01", b"1"), (b"z", b"2")])
    assert list(stores.scan(ITEMS, 0)) == [(b"\x01", b"1"), (b"z", b"2")]


def test_row_of_none_is_removed(stores: Stores) -> None:
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [(b"a", b"1")])
    stores.write(ITEMS, 0, [(b"a", None)])
    assert stores.read(ITEMS, 0, [b"a"]) == [None]


def test_tables_and_partitions_are_apart(stores: Stores) -> None:
    for table, partition in ((ITEMS, 0), (ITEMS, 1), (PROFILES, 0)):
        stores.open(table, partition)
        stores.write(table, partition, [(b"a", f"{table}{partition}".encode())])
    assert stores.read(ITEMS, 1, [b"a"]) == [b"items1"]
    assert stores.partitions(ITEMS) == [0, 1]
    assert stores.partitions(PROFILES) == [0]


def test_closing_a_partition_closes_both_tables(stores: Stores) -> None:
    for table in (ITEMS, PROFILES):
        stores.open(table, 0)
        stores.open(table, 1)
    stores.close(0)
    assert stores.partitions(ITEMS) == stores.partitions(PROFILES) == [1]


def test_store_in_use_names_what_to_do(stores: Stores, tmp_path: Path) -> None:
    stores.open(ITEMS, 0)
    with pytest.raises(StateError, match=r"its own worker\.state_dir"):
        Stores(tmp_path / "state", WorkerSettings()).open(ITEMS, 0)


def test_deleted_store_is_at_the_beginning(stores: Stores) -> None:
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [(b"a", b"1"), (POSITION_KEY, Position(7, 1).encode())])
    stores.delete(ITEMS, 0)
    assert stores.open(ITEMS, 0) == Position()
    assert stores.read(ITEMS, 0, [b"a"]) == [None]


def copy_as_after_a_crash(stores: Stores, folder: Path, copy: Path) -> Stores:
    """Return stores over what is on disk at this moment, while the others are open."""
    shutil.copytree(folder / "state", copy / "state")
    return Stores(copy / "state", WorkerSettings())


def test_unlogged_writes_are_a_prefix_after_a_crash(stores: Stores, tmp_path: Path) -> None:
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [(b"a", b"1"), (POSITION_KEY, Position(1, 1).encode())])
    stores.write(ITEMS, 0, [(b"b", b"2"), (POSITION_KEY, Position(2, 1).encode())], logged=False)
    crashed = copy_as_after_a_crash(stores, tmp_path, tmp_path / "copy")
    assert crashed.open(ITEMS, 0) == Position(1, 1)
    assert crashed.read(ITEMS, 0, [b"a", b"b"]) == [b"1", None]


def test_a_logged_write_makes_the_unlogged_before_it_durable(
    stores: Stores, tmp_path: Path
) -> None:
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [(b"a", b"1")], logged=False)
    stores.write(ITEMS, 0, [(b"b", b"2")])
    crashed = copy_as_after_a_crash(stores, tmp_path, tmp_path / "copy")
    crashed.open(ITEMS, 0)
    assert crashed.read(ITEMS, 0, [b"a", b"b"]) == [b"1", b"2"]


def test_unlogged_writes_are_there_after_closing(stores: Stores) -> None:
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [(b"a", b"1")], logged=False)
    stores.close_except()
    stores.open(ITEMS, 0)
    assert stores.read(ITEMS, 0, [b"a"]) == [b"1"]


def test_removed_row_leaves_the_files(stores: Stores, tmp_path: Path) -> None:
    needles = [random.Random(number).randbytes(200) for number in range(50)]
    stores.open(PROFILES, 0)
    stores.write(PROFILES, 0, [(b"u%d" % n, needle) for n, needle in enumerate(needles)])
    assert is_in_files(tmp_path, needles[7])
    stores.write(PROFILES, 0, [(b"u7", None)])
    deadline = time.monotonic() + COMPACTION_TIMEOUT_S
    while is_in_files(tmp_path, needles[7]):
        assert time.monotonic() < deadline
    assert is_in_files(tmp_path, needles[8])


def is_in_files(folder: Path, content: bytes) -> bool:
    found = False
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            found |= content in path.read_bytes()
    return found


def test_sizes_are_those_of_the_open_databases(stores: Stores) -> None:
    stores.open("items", 0)
    stores.write("items", 0, [(b"i%d" % number, b"row" * 100) for number in range(500)])
    stores.close(0)  # flushes
    assert stores.sizes() == {}
    stores.open("items", 0)
    stores.open("items", 1)
    sizes = stores.sizes()
    assert list(sizes) == ["items"]
    assert 500 <= sizes["items"]["rows"] < 600
    assert sizes["items"]["bytes"] > 0


def test_what_says_how_far_a_store_goes_is_written_last() -> None:
    rows = [(WATERMARK_KEY, b"w"), (b"a", b"1"), (b"b", None), (b"c", b"2"), (b"d", b"3")]
    assert in_parts(rows, 2) == [
        [(b"a", b"1"), (b"c", b"2")],
        [(b"d", b"3"), (WATERMARK_KEY, b"w"), (b"b", None)],
    ]
    assert in_parts([], 2) == [[]]
