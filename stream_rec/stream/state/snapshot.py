"""The stores of a state folder as of one moment, whether a worker is writing them or not.

RocksDB lets a database be opened for reading beside its owner: what is seen is what was written by
then, whole batches only. A worker writes the two stores of a partition one after the other, so they
are opened again until both have the same watermark. After a crash they may differ for good; then
the items are ahead of the profiles, which is a state that recovery goes on from.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import rocksdict

from stream_rec.errors import StateError
from stream_rec.stream.changelog import (
    ITEMS,
    POSITION_KEY,
    PROFILES,
    RESERVED_PREFIX,
    TABLES,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.stores import FIRST_ENGINE_KEY, check_nothing_follows, is_engine_key

ATTEMPTS_MAX = 40
RETRY_S = 0.05
"""Files may vanish by compaction while they are opened, and a commit writes two stores in turn."""
NAME = re.compile(r"(items|profiles)-(\d{5,})")


class StoreName(NamedTuple):
    """Table and partition."""

    table: str
    partition: int


class Snapshot:
    """One store as of the moment when it was opened.

    Parameters
    ----------
    folder : Path
        The state folder.
    name : StoreName

    Attributes
    ----------
    position, watermark
        How far the store goes.
    damage : StateError or None
        Why that cannot be read.

    Raises
    ------
    StateError
        RocksDB cannot open it.
    """

    def __init__(self, folder: Path, name: StoreName) -> None:
        self.name = name
        self._path = folder / f"{name.table}-{name.partition:05d}"
        self._database = self._open()
        self.damage: StateError | None = None
        position = watermark = None
        try:
            position, watermark = self.get([POSITION_KEY, WATERMARK_KEY])
        except StateError as error:
            self.damage = error
        self.position = Position() if position is None else Position.decode(position)
        self.watermark = None if watermark is None else Watermark.decode(watermark)

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read rows by key; None where there is none."""
        try:
            return cast("list[bytes | None]", self._database.get(list(keys)))
        except Exception as error:
            raise self._unreadable(error) from error

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all rows but the reserved ones, in key order; RocksDB checks every block.

        Raises
        ------
        StateError
            A block is damaged.
        """
        return self._rows_from(FIRST_ENGINE_KEY)

    def reserved_rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the rows of the stream itself, which say how far the store goes."""
        return takewhile(lambda row: not is_engine_key(row[0]), self._rows_from(RESERVED_PREFIX))

    def _rows_from(self, first: bytes) -> Iterator[tuple[bytes, bytes]]:
        last = first
        try:
            for key, value in cast(Any, self._database.items(from_key=first)):
                yield key, value
                last = key
            check_nothing_follows(self._database, last)
        except Exception as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _open(self) -> rocksdict.Rdict:
        attempts_left = ATTEMPTS_MAX
        while True:
            try:
                return rocksdict.Rdict(
                    str(self._path),
                    rocksdict.Options(raw_mode=True),
                    access_type=rocksdict.AccessType.read_only(),
                )
            except Exception as error:
                attempts_left -= 1
                if attempts_left == 0:
                    raise self._unreadable(error) from error
                time.sleep(RETRY_S)

    def _unreadable(self, error: Exception) -> StateError:
        return StateError(
            f"expected a readable store, came {self._path}: {error}; it is a copy of its "
            "changelog: a worker that finds it damaged rebuilds it by itself"
        )


class Snapshots:
    """All stores of a state folder, each partition's two as of the same commit.

    Parameters
    ----------
    folder : Path
        ``worker.state_dir`` / ``app_id``.
    with_damaged : bool
        Whether stores that cannot be read are among them, instead of an error.
    """

    def __init__(self, folder: Path, *, with_damaged: bool = False) -> None:
        self._folder = folder
        self._with_damaged = with_damaged
        self.stores: dict[StoreName, Snapshot] = {}

    def __enter__(self) -> Self:
        names = list_stores(self._folder)
        for partition in sorted({name.partition for name in names}):
            present = [name for name in names if name.partition == partition]
            opened = {store.name: store for store in _open_together(self._folder, present)}
            self.stores |= {name: opened[name] for name in present}
        for store in self.stores.values():
            if store.damage is not None and not self._with_damaged:
                raise store.damage
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for snapshot in self.stores.values():
            snapshot.close()

    def find(self, table: str, key: bytes) -> dict[int, bytes]:
        """Return the rows of a key by partition, from every store of a table that has it."""
        found = {
            name.partition: store.get([key])[0]
            for name, store in self.stores.items()
            if name.table == table
        }
        return {partition: row for partition, row in found.items() if row is not None}


def list_stores(folder: Path) -> list[StoreName]:
    """Return the stores of a state folder.

    Raises
    ------
    StateError
        There are none.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    matches = [NAME.fullmatch(entry.name) for entry in entries if entry.is_dir()]
    names = [StoreName(match[1], int(match[2])) for match in matches if match]
    if not names:
        raise StateError(
            f"expected the stores of a worker, came none in {folder}; give its folder with --set "
            "worker.state_dir=FOLDER and its name with --set app_id=NAME"
        )
    return sorted(names, key=lambda name: (TABLES.index(name.table), name.partition))


def _open_together(folder: Path, names: Sequence[StoreName]) -> list[Snapshot]:
    """Open the stores of one partition, profiles first: items may be ahead, never behind."""
    ordered = sorted(names, key=lambda name: (PROFILES, ITEMS).index(name.table))
    attempts_left = ATTEMPTS_MAX
    while True:
        opened = [Snapshot(folder, name) for name in ordered]
        attempts_left -= 1
        if len({store.watermark for store in opened}) == 1 or attempts_left == 0:
            return opened
        for store in opened:
            store.close()
        time.sleep(RETRY_S)
