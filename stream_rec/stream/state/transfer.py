"""Take the state of a worker out of its folder, and put it into an empty one.

An export holds the stores that the folder has: those of the partitions that the worker owns or
owned. It is a point from which recovery goes on, so what comes after an import is the ordinary
recovery: the changelogs are read from where the export ends. Rows that were removed meanwhile do
not come back: their removal is in the changelog, or the watermark tells that it was (recovery.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.identity import read_folder, write_folder
from stream_rec.stream.state.export_file import ExportReader, Header, write_whole
from stream_rec.stream.state.snapshot import Snapshots, StoreName
from stream_rec.stream.stores import Stores

ROWS_AT_ONCE = 1_000


def export_state(folder: Path, file: Path) -> int:
    """Write all stores of a state folder into a file; a worker may be running on it.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    StateError
        The folder holds no state, or cannot be read, or the file cannot be written.
    """
    identity = read_folder_identity(folder)
    with Snapshots(folder) as snapshots:
        header = Header(identity["app_id"], identity, list(snapshots.stores))
        stores = snapshots.stores.values()
        return write_whole(
            file, header, (chain(store.rows(), store.reserved_rows()) for store in stores)
        )


def import_state(
    file: Path, folder: Path, identity: Mapping[str, str], worker: WorkerSettings
) -> int:
    """Fill an empty state folder from an export.

    Parameters
    ----------
    file : Path
    folder : Path
        Missing or empty; it gets its name when all of it is there.
    identity : Mapping[str, str]
        Application, cluster and topics as they are now.
    worker : WorkerSettings
        For RocksDB.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    StateError
        The folder is not empty, the export belongs to other topics, or it is damaged. The folder
        is as it was.
    """
    _check_empty(folder)
    reader = ExportReader(file)
    try:
        _check_identity(file, reader.header.identity, identity)
        half = folder.with_name(folder.name + ".importing")
        shutil.rmtree(half, ignore_errors=True)
        try:
            n_rows = _fill(half, reader, worker)
            half.mkdir(parents=True, exist_ok=True)
            write_folder(half, identity)
            half.replace(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    except OSError as error:
        raise StateError(f"expected to fill {folder}, came: {error}") from error
    finally:
        reader.close()
    return n_rows


def read_folder_identity(folder: Path) -> dict[str, str]:
    """Return what the state in a folder belongs to.

    Raises
    ------
    StateError
        No worker has left it there, or it is damaged.
    """
    try:
        return read_folder(folder)
    except (OSError, ValueError) as error:
        raise StateError(
            f"expected the folder of a worker's state, came {folder}: {error}; give it with --set "
            "worker.state_dir=FOLDER, and the worker's name with --set app_id=NAME"
        ) from None


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StateError(
            f"expected an empty folder to import into, came {folder}, which holds something; stop "
            f"its worker and move it away: `mv {folder} {folder}.old`"
        )


def _check_identity(file: Path, exported: Mapping[str, str], current: Mapping[str, str]) -> None:
    for key, value in current.items():
        if exported.get(key) != value:
            raise StateError(
                f"expected an export whose {key} is {value}, came {exported.get(key)} in {file}: "
                "its offsets mean nothing here; let the worker restore from the changelogs, or "
                "rebuild the model: `stream-rec worker --rebuild-from earliest`"
            )


def _fill(folder: Path, reader: ExportReader, worker: WorkerSettings) -> int:
    stores = Stores(folder, worker)
    try:
        n_rows = sum(_fill_store(stores, name, reader) for name in reader.header.stores)
        reader.check_end()
    finally:
        stores.close_except()
    return n_rows


def _fill_store(stores: Stores, name: StoreName, reader: ExportReader) -> int:
    """Write one store; the folder gets its name when all are there."""
    stores.open(*name)
    n_rows = 0
    for rows in _chunks(reader.read_store()):
        stores.write(*name, rows)
        n_rows += len(rows)
    return n_rows


def _chunks(rows: Iterator[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield chunk
