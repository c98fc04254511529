"""The RocksDB databases of the partitions that this worker owns, one per table and partition.

Keys and values are raw bytes. All databases share one block cache, which also pays for their write
buffers: memory is bounded by two settings, however many partitions there are. A database is closed
explicitly when its partition goes, because RocksDB keeps its lock as long as anything refers to it.

A database is a copy of its changelog, so one whose files are damaged is deleted and starts anew,
without asking anybody; one that is in use, or on a full disk, is left alone and stops the worker.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import rocksdict

from stream_rec.errors import StateError
from stream_rec.model.arrays import stretches
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import POSITION_KEY, RESERVED_PREFIX, Position
from stream_rec.stream.effects import Row
from stream_rec.stream.store_damage import forget_damage, has_damage, is_damage, note_damage

BYTES_PER_MIB = 1 << 20
BLOOM_BITS_PER_KEY = 10
FIRST_ENGINE_KEY = b"\x01"
ENTRIES_PER_WINDOW = 128

Rows = Iterator[tuple[bytes, bytes]]

logger = logging.getLogger(__name__)


class Stores:
    """All open databases of this process.

    Parameters
    ----------
    folder : Path
        Where the databases are; created when the first is opened.
    worker : WorkerSettings
        How much memory they share.
    """

    def __init__(self, folder: Path, worker: WorkerSettings) -> None:
        self._folder = folder
        self._options = _make_options(worker)
        self._open: dict[tuple[str, int], rocksdict.Rdict] = {}
        self._unlogged: set[tuple[str, int]] = set()
        self._without_log = _make_unlogged()

    def open(self, table: str, partition: int) -> Position:
        """Open a database, or create it, and return how far it goes.

        Raises
        ------
        StateError
            It is in use by another process, or cannot be written.
        """
        if (table, partition) not in self._open:
            path = self._path(table, partition)
            path.parent.mkdir(parents=True, exist_ok=True)
            if has_damage(path):
                self._delete_damaged(table, partition, "a read failed before the last restart")
            self._open[table, partition] = self._open_or_rebuild(table, partition)
        stored = self.read(table, partition, [POSITION_KEY])[0]
        return Position() if stored is None else Position.decode(stored)

    def close(self, partition: int) -> None:
        """Close the databases of a partition, if they are open."""
        for table, other in list(self._open):
            if other == partition:
                self._close(table, partition)

    def close_except(self, partitions: Collection[int] = ()) -> None:
        """Close every database but those of some partitions."""
        for _, partition in list(self._open):
            if partition not in partitions:
                self.close(partition)

    def delete(self, table: str, partition: int) -> None:
        """Close a database and remove its files."""
        self._close(table, partition)
        path = self._path(table, partition)
        shutil.rmtree(path, ignore_errors=True)
        forget_damage(path)

    def partitions(self, table: str) -> list[int]:
        """Return the partitions of a table that are open, in order."""
        return sorted(partition for name, partition in self._open if name == table)

    def sizes(self) -> dict[str, dict[str, int]]:
        """Return rows, estimated, and bytes of files, by table, of the open databases."""
        sizes: dict[str, dict[str, int]] = {}
        for (table, _), database in self._open.items():
            size = sizes.setdefault(table, {"rows": 0, "bytes": 0})
            size["rows"] += database.property_int_value("rocksdb.estimate-num-keys") or 0
            size["bytes"] += database.property_int_value("rocksdb.live-sst-files-size") or 0
        return sizes

    def read(self, table: str, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read rows; None where there is none.

        Raises
        ------
        StateError
            RocksDB cannot read.
        """
        with self._checked(table, partition):
            rows = self._open[table, partition].get(list(keys))
        return cast(list[bytes | None], rows)

    def scan(self, table: str, partition: int) -> Rows:
        """Iterate over all rows but the reserved ones, in key order.

        Raises
        ------
        StateError
            RocksDB cannot read on.
        """
        last = FIRST_ENGINE_KEY
        with self._checked(table, partition):
            database = self._open[table, partition]
            for key, value in cast(Rows, database.items(from_key=FIRST_ENGINE_KEY)):
                yield key, value
                last = key
            check_nothing_follows(database, last)

    def write(
        self, table: str, partition: int, rows: Iterable[Row], *, logged: bool = True
    ) -> None:
        """Write rows as one batch, all or nothing; a value of None removes the key.

        A removed row is in RocksDB's files until they are compacted. So a logged removal is flushed
        at once, and files with removals are compacted next, in RocksDB's own threads.

        Without RocksDB's own log a restore takes half the time. After a crash the database is then
        as of its last flush, an older prefix of the same changelog. The first logged write is
        preceded by a flush, so what is logged never comes without what was written before it.

        Raises
        ------
        StateError
            RocksDB cannot write.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        removes = False
        for key, value in rows:
            if value is None:
                batch.delete(key)
                removes = True
            else:
                batch.put(key, value)
        with self._checked(table, partition):
            database = self._open[table, partition]
            if not logged:
                self._unlogged.add((table, partition))
                database.write(batch, self._without_log)
                return
            if (table, partition) in self._unlogged:
                database.flush()
                self._unlogged.discard((table, partition))
            database.write(batch)
            if removes:
                database.flush(wait=False)

    def _open_or_rebuild(self, table: str, partition: int) -> rocksdict.Rdict:
        path = self._path(table, partition)
        try:
            return rocksdict.Rdict(str(path), self._options)
        except Exception as error:
            if not is_damage(error):
                raise StateError(
                    f"expected a database that only this worker uses, in {path}; RocksDB says: "
                    f"{error}; give each worker its own worker.state_dir, on a disk with room"
                ) from error
            self._delete_damaged(table, partition, str(error))
        return rocksdict.Rdict(str(path), self._options)

    def _delete_damaged(self, table: str, partition: int, reason: str) -> None:
        logger.error(
            "%s, partition %d: the files on disk are damaged (%s); rebuilding from the changelog",
            *(table, partition, reason),
        )
        self.delete(table, partition)

    def _close(self, table: str, partition: int) -> None:
        database = self._open.pop((table, partition), None)
        self._unlogged.discard((table, partition))
        if database is None:
            return
        try:
            database.close()
        except Exception as error:  # what it could not flush is in the changelog
            logger.warning("%s, partition %d: not closed in order: %s", table, partition, error)

    @contextlib.contextmanager
    def _checked(self, table: str, partition: int) -> Iterator[None]:
        """Turn an error of RocksDB into one that says what to do, or that nothing is to be done."""
        try:
            yield
        except KeyError:
            raise
        except Exception as error:
            path = self._path(table, partition)
            mend = "see that its disk has room and is writable"
            if is_damage(error):
                note_damage(path)
                mend = "the next start rebuilds it from its changelog"
            raise StateError(f"RocksDB in {path} says: {error}; {mend}") from error

    def _path(self, table: str, partition: int) -> Path:
        return self._folder / f"{table}-{partition:05d}"


def check_nothing_follows(database: rocksdict.Rdict, last: bytes) -> None:
    """Raise what ended an iteration: RocksDB's iterators just stop at a block that is damaged."""
    iterator = database.iter()
    iterator.seek(last)
    while iterator.valid():
        iterator.next()
    iterator.status()


def _make_unlogged() -> rocksdict.WriteOptions:
    options: Any = rocksdict.WriteOptions()  # its type stub takes this property for a method
    options.disable_wal = True
    return cast(rocksdict.WriteOptions, options)


def is_engine_key(key: bytes) -> bool:
    """Say whether a key belongs to the engine."""
    return not key.startswith(RESERVED_PREFIX)


def in_parts(rows: Sequence[Row], n_at_once: int) -> list[list[Row]]:
    """Cut a long write into parts, of which the last one tells how far the store goes.

    What is removed is in that part, too: each part with removals is flushed. And the rows of the
    stream itself: a watermark tells that what was removed until then is gone.
    """
    early = [row for row in rows if row[1] is not None and is_engine_key(row[0])]
    late = [row for row in rows if row[1] is None or not is_engine_key(row[0])]
    parts = list(stretches(early, n_at_once)) or [[]]
    return [*parts[:-1], parts[-1] + late]


def _make_options(worker: WorkerSettings) -> rocksdict.Options:
    cache = rocksdict.Cache(worker.rocksdb_block_cache_mib * BYTES_PER_MIB)
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(cache)
    blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, False)
    blocks.set_cache_index_and_filter_blocks(True)
    options = rocksdict.Options(raw_mode=True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_manager(
        rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            worker.rocksdb_write_buffer_mib * BYTES_PER_MIB, False, cache
        )
    )
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    options.set_keep_log_file_num(2)
    n_removals, share = 1, 0.0
    options.add_compact_on_deletion_collector_factory(ENTRIES_PER_WINDOW, n_removals, share)
    return options
