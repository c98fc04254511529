"""What the HTTP service keeps on disk: a copy of what it read from Kafka, in one RocksDB database.

    b"L" user id   last message of the recommendations topic
    b"P" row key   profile row, of whatever partition

It is of one run and begins with nothing. Kafka forgets in time that something was removed, so a
copy that was put away, however shortly, might bring back a user who was forgotten meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.effects import Row
from stream_rec.stream.stores import Stores

TABLE = "serve"
ONLY_PARTITION = 0
LIST = b"L"
PROFILE_ROW = b"P"

At = tuple[str, int]
"""Topic and partition."""


class Cache:
    """The copy of one process.

    Parameters
    ----------
    folder : Path
        Used by this process alone.
    worker : WorkerSettings
        How much memory RocksDB may take.

    Raises
    ------
    StateError
        Another process has it open, or it cannot be written.
    """

    def __init__(self, folder: Path, worker: WorkerSettings) -> None:
        self._stores = Stores(folder, worker)
        try:
            self._stores.open(TABLE, ONLY_PARTITION)
            self._stores.delete(TABLE, ONLY_PARTITION)
            self._stores.open(TABLE, ONLY_PARTITION)
        except StateError as error:
            raise StateError(
                f"expected a folder that only this process uses, came {folder}: {error}; give each "
                "`stream-rec serve` its own serve.state_dir"
            ) from error

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows; those without a value are removed."""
        self._stores.write(TABLE, ONLY_PARTITION, list(rows), logged=False)

    def lists_of(self, user_keys: Iterable[bytes]) -> list[bytes | None]:
        """Return the last message for each user."""
        return self._read([LIST + key for key in user_keys])

    def profile_row(self, key: bytes) -> bytes | None:
        """Return a profile row."""
        return self._read([PROFILE_ROW + key])[0]

    def close(self) -> None:
        """Close the database."""
        self._stores.close_except()

    def _read(self, keys: list[bytes]) -> list[bytes | None]:
        return self._stores.read(TABLE, ONLY_PARTITION, keys)


def list_row(user_key: bytes, value: bytes | None) -> Row:
    """Return the row of a message of the recommendations topic."""
    return LIST + user_key, value


def profile_row(key: bytes, value: bytes | None) -> Row:
    """Return the row of a record of the profiles changelog."""
    return PROFILE_ROW + key, value
