"""The RocksDB databases of the partitions that this worker owns, one per table and partition.

Keys and values are raw bytes. All databases share one block cache, which also pays for their write
buffers: memory is bounded by two settings, however many partitions there are. A database is closed
explicitly when its partition goes, because RocksDB keeps its lock as long as anything refers to it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import rocksdict

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import POSITION_KEY, RESERVED_PREFIX, Position
from stream_rec.stream.effects import Row

BYTES_PER_MIB = 1 << 20
BLOOM_BITS_PER_KEY = 10
FIRST_ENGINE_KEY = b"\x01"


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

    def open(self, table: str, partition: int) -> Position:
        """Open a database, or create it, and return how far it goes.

        Raises
        ------
        StateError
            It is in use by another process, or damaged.
        """
        path = self._path(table, partition)
        if (table, partition) not in self._open:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open[table, partition] = rocksdict.Rdict(str(path), self._options)
            except Exception as error:
                raise StateError(
                    f"expected a database that only this worker uses, in {path}; RocksDB says: "
                    f"{error}; give each worker its own worker.state_dir, or delete this folder: "
                    "it is rebuilt from the changelog"
                ) from error
        stored = self._open[table, partition].get(POSITION_KEY)
        return Position() if stored is None else Position.decode(stored)

    def close(self, partition: int) -> None:
        """Close the databases of a partition, if they are open."""
        for table, other in list(self._open):
            if other == partition:
                self._open.pop((table, partition)).close()

    def close_all(self) -> None:
        """Close every database."""
        for _, partition in list(self._open):
            self.close(partition)

    def delete(self, table: str, partition: int) -> None:
        """Close a database and remove its files."""
        database = self._open.pop((table, partition), None)
        if database is not None:
            database.close()
        shutil.rmtree(self._path(table, partition), ignore_errors=True)

    def partitions(self, table: str) -> list[int]:
        """Return the partitions of a table that are open, in order."""
        return sorted(partition for name, partition in self._open if name == table)

    def read(self, table: str, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read rows; None where there is none."""
        return cast(list[bytes | None], self._open[table, partition].get(list(keys)))

    def scan(self, table: str, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over all rows but the reserved ones, in key order."""
        rows = self._open[table, partition].items(from_key=FIRST_ENGINE_KEY)
        return cast(Iterator[tuple[bytes, bytes]], rows)

    def write(self, table: str, partition: int, rows: Iterable[Row]) -> None:
        """Write rows as one batch, all or nothing; a value of None removes the key."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._open[table, partition].write(batch)

    def _path(self, table: str, partition: int) -> Path:
        return self._folder / f"{table}-{partition:05d}"


def is_engine_key(key: bytes) -> bool:
    """Say whether a key belongs to the engine."""
    return not key.startswith(RESERVED_PREFIX)


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
    return options
