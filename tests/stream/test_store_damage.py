"""Damaged files are rebuilt without asking; a full disk or another user stops the worker."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import ITEMS, POSITION_KEY, Position
from stream_rec.stream.stores import Stores

N_ROWS = 2_000
ROWS = [(f"i{number:06}".encode(), os.urandom(100)) for number in range(N_ROWS)]


def flip_bytes(file: Path, share: float) -> None:
    """Invert a few bytes at a share of a file's length."""
    content = bytearray(file.read_bytes())
    at = int(len(content) * share)
    content[at : at + 8] = bytes(byte ^ 0xFF for byte in content[at : at + 8])
    file.write_bytes(content)


def first(folder: Path, pattern: str) -> Path:
    return min(folder.glob(pattern))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "footer of a table file": lambda folder: flip_bytes(first(folder, "*.sst"), 0.9999),
    "manifest": lambda folder: flip_bytes(first(folder, "MANIFEST*"), 0.5),
    "table file gone": lambda folder: first(folder, "*.sst").unlink(),
    "manifest gone": lambda folder: first(folder, "MANIFEST*").unlink(),
    "truncated": lambda folder: os.truncate(first(folder, "*.sst"), 1_000),
    "pointer": lambda folder: (folder / "CURRENT").write_bytes(b"?"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a closed database with many blocks."""
    stores = new_stores(tmp_path)
    stores.open(ITEMS, 0)
    stores.write(ITEMS, 0, [*ROWS, (POSITION_KEY, Position(7, 1).encode())])
    stores.close_except()
    return tmp_path / "items-00000"


def new_stores(folder: Path) -> Stores:
    return Stores(folder, WorkerSettings())


@pytest.mark.parametrize("damage", DAMAGES)
def test_database_that_cannot_be_opened_starts_anew(folder: Path, damage: str) -> None:
    DAMAGES[damage](folder)
    stores = new_stores(folder.parent)
    assert stores.open(ITEMS, 0) == Position()
    assert list(stores.scan(ITEMS, 0)) == []


def test_scan_never_ends_early_at_a_damaged_block(folder: Path) -> None:
    flip_bytes(first(folder, "*.sst"), 0.5)
    stores = new_stores(folder.parent)
    assert stores.open(ITEMS, 0) == Position(7, 1)
    with pytest.raises(StateError, match="the next start rebuilds it"):
        list(stores.scan(ITEMS, 0))


def test_damage_met_while_serving_is_mended_at_the_next_start(folder: Path) -> None:
    flip_bytes(first(folder, "*.sst"), 0.5)
    stores = new_stores(folder.parent)
    stores.open(ITEMS, 0)
    with pytest.raises(StateError, match="checksum"):
        stores.read(ITEMS, 0, [key for key, _ in ROWS])
    stores.close_except()
    stores = new_stores(folder.parent)
    assert stores.open(ITEMS, 0) == Position()
    stores.close_except()
    assert new_stores(folder.parent).open(ITEMS, 0) == Position()  # and is no longer noted


def test_database_in_use_is_left_alone(folder: Path) -> None:
    owner = new_stores(folder.parent)
    owner.open(ITEMS, 0)
    with pytest.raises(StateError, match=r"its own worker\.state_dir"):
        new_stores(folder.parent).open(ITEMS, 0)
    assert dict(owner.scan(ITEMS, 0)) == dict(ROWS)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond 64 KiB, as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_is_no_damage_and_loses_nothing_of_before(folder: Path) -> None:
    stores = new_stores(folder.parent)
    stores.open(ITEMS, 0)
    rows = [*ROWS, (POSITION_KEY, Position(9, 1).encode())]
    with full_disk(), pytest.raises(StateError, match="see that its disk has room"):
        stores.write(ITEMS, 0, rows)
    stores.close_except()
    stores = new_stores(folder.parent)
    assert stores.open(ITEMS, 0) == Position(7, 1)
    assert dict(stores.scan(ITEMS, 0)) == dict(ROWS)
