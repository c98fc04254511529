r"""What the HTTP service keeps on disk: a copy of what it read from Kafka, in one RocksDB database.

    b"L" user id                    last message of the recommendations topic
    b"P" row key                    profile row, of whatever partition
    b"I" partition u16 BE, row key  item row of a partition
    b"\0at" topic ":" partition     position: how far this copy goes

Everything can be read from Kafka again, so the folder may be deleted at any time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import Position
from stream_rec.stream.effects import Row
from stream_rec.stream.stores import Stores

TABLE = "serve"
ONLY_PARTITION = 0
LIST = b"L"
PROFILE_ROW = b"P"
ITEM_ROW = b"I"
ITEM_PREFIX = struct.Struct(">cH")

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
        except StateError as error:
            raise StateError(
                f"expected a folder that only this process uses, came {folder}: {error}; give each "
                "`stream-rec serve` its own serve.state_dir"
            ) from error

    def positions(self, partitions: Iterable[At]) -> dict[At, Position]:
        """Return how far the copy of each partition goes."""
        wanted = list(partitions)
        stored = self._read([_position_key(at) for at in wanted])
        return {
            at: Position() if value is None else Position.decode(value)
            for at, value in zip(wanted, stored, strict=True)
        }

    def write(self, rows: Iterable[Row], positions: Iterable[tuple[At, Position]]) -> None:
        """Write rows together with how far the copy goes then."""
        marks = [(_position_key(at), position.encode()) for at, position in positions]
        self._stores.write(TABLE, ONLY_PARTITION, [*rows, *marks], logged=False)

    def lists_of(self, user_keys: Iterable[bytes]) -> list[bytes | None]:
        """Return the last message for each user."""
        return self._read([LIST + key for key in user_keys])

    def profile_row(self, key: bytes) -> bytes | None:
        """Return a profile row."""
        return self._read([PROFILE_ROW + key])[0]

    def item_rows(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Iterate over partition, key and value of all item rows, by partition."""
        for key, value in self._stores.scan(TABLE, ONLY_PARTITION):
            if key[:1] == ITEM_ROW:
                partition = ITEM_PREFIX.unpack_from(key)[1]
                yield partition, key[ITEM_PREFIX.size :], value

    def clear(self) -> None:
        """Begin with nothing."""
        self._stores.delete(TABLE, ONLY_PARTITION)
        self._stores.open(TABLE, ONLY_PARTITION)

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


def item_row(partition: int, key: bytes, value: bytes | None) -> Row:
    """Return the row of a record of the items changelog."""
    return ITEM_PREFIX.pack(ITEM_ROW, partition) + key, value


def _position_key(at: At) -> bytes:
    topic, partition = at
    return f"\0at{topic}:{partition}".encode()
