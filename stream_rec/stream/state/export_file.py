r"""The file of an exported state: one zstd stream, the same on every machine.

    b"stream_rec state\n"
    header           one line of JSON: format, build, app_id, identity, stores (table, partition)
    for each store   its rows: key length u32, value length u32 (little endian), key, value;
                     the reserved rows (position, watermark; changelog.py) come last
                     end: two u32 of 0, number of rows u64, XXH3-64 of all these bytes u64
    end of the zstd stream, whose frame carries a checksum of its own

A file is written under the name FILE.part and gets its own name when it is complete and on disk,
so FILE never is half a file.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import xxhash

from stream_rec.errors import StateError
from stream_rec.stream.changelog import TABLES
from stream_rec.stream.state.snapshot import StoreName

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b"stream_rec state\n"
FORMAT_VERSION = 1
HEADER_BYTES_MAX = 1 << 24
LENGTHS = struct.Struct("<II")
END = struct.Struct("<QQ")
COMPRESSION_LEVEL = 3
WRITTEN_AT_ONCE_BYTES = 1 << 20
PARTITION_MAX = (1 << 31) - 1
"""Of Kafka's protocol."""
UNREADABLE = (
    *(EOFError, zstd.ZstdError),
    *(ValueError, KeyError, TypeError, OverflowError, RecursionError),
)
"""What reading a header raises whose content is not what was written."""

Rows = Iterable[tuple[bytes, bytes]]


class Header(NamedTuple):
    """What an export holds."""

    app_id: str
    identity: Mapping[str, str]
    stores: list[StoreName]


class ExportWriter:
    """Writes the stores that the header names, in its order.

    Parameters
    ----------
    file : BinaryIO
    header : Header
    """

    def __init__(self, file: BinaryIO, header: Header) -> None:
        options: dict[int, int] = {
            zstd.CompressionParameter.compression_level: COMPRESSION_LEVEL,
            zstd.CompressionParameter.checksum_flag: 1,
        }
        self._stream = zstd.ZstdFile(cast(Any, file), "wb", options=options)
        self._stream.write(MAGIC)
        fields = {"format": FORMAT_VERSION, **header._asdict()}
        self._stream.write(json.dumps(fields).encode() + b"\n")

    def write_store(self, rows: Rows) -> int:
        """Write the rows of the next store; return how many there were."""
        digest = xxhash.xxh3_64()
        n_rows = 0
        pending = bytearray()
        for key, value in rows:
            pending += LENGTHS.pack(len(key), len(value)) + key + value
            n_rows += 1
            if len(pending) >= WRITTEN_AT_ONCE_BYTES:
                digest.update(pending)
                self._stream.write(pending)
                pending = bytearray()
        digest.update(pending)
        self._stream.write(pending)
        self._stream.write(LENGTHS.pack(0, 0) + END.pack(n_rows, digest.intdigest()))
        return n_rows

    def close(self) -> None:
        """End the stream."""
        self._stream.close()


class ExportReader:
    """Reads an export from its beginning to its end.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StateError
        It is no export, is of a newer format, or is damaged or cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._stream = cast(Any, zstd.ZstdFile(path, "rb"))
        except OSError as error:
            raise StateError(f"expected an exported state, came {path}: {error}") from None
        self.header = self._read_header()

    def read_store(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the rows of the next store; the end is checked before the last is handed out."""
        digest = xxhash.xxh3_64()
        n_rows = 0
        held: tuple[bytes, bytes] | None = None
        while True:
            lengths = self._read(LENGTHS.size)
            key_length, value_length = LENGTHS.unpack(lengths)
            if key_length == 0:
                break
            pair = self._read(key_length + value_length)
            digest.update(lengths)
            digest.update(pair)
            n_rows += 1
            if held is not None:
                yield held
            held = pair[:key_length], pair[key_length:]
        if END.unpack(self._read(END.size)) != (n_rows, digest.intdigest()):
            raise self._damaged("rows other than were written")
        if held is not None:
            yield held

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def check_end(self) -> None:
        """See that nothing follows, and that the stream's own checksum is right."""
        try:
            rest = self._stream.read(1)
        except (EOFError, zstd.ZstdError) as error:
            raise self._damaged(str(error)) from None
        if rest:
            raise self._damaged("more than the header names")

    def _read_header(self) -> Header:
        magic = self._read(len(MAGIC))
        if magic != MAGIC:
            raise StateError(
                f"expected a file written by `stream-rec state export`, came {self._path}, which "
                "begins otherwise"
            )
        try:
            fields = json.loads(self._stream.readline(HEADER_BYTES_MAX))
            version = int(fields["format"])
            if version > FORMAT_VERSION:
                raise StateError(
                    f"export format {version} is newer than this build reads (1–{FORMAT_VERSION}), "
                    f"in {self._path}; upgrade stream_rec"
                )
            stores = _store_names(fields["stores"])
            return Header(str(fields["app_id"]), dict(fields["identity"]), stores)
        except UNREADABLE as error:
            raise self._damaged(str(error)) from None

    def _read(self, n_bytes: int) -> bytes:
        try:
            read: bytes = self._stream.read(n_bytes)
        except (EOFError, zstd.ZstdError) as error:
            raise self._damaged(str(error)) from None
        if len(read) < n_bytes:
            raise self._damaged("its end too early")
        return read

    def _damaged(self, came: str) -> StateError:
        return StateError(
            f"expected a whole export, came {self._path}, which is damaged or cut off ({came}); "
            "nothing was imported; export again, or let the worker restore from the changelogs"
        )


def _store_names(listed: Iterable[Any]) -> list[StoreName]:
    """Return the stores that a header lists; they become names of folders.

    Raises
    ------
    ValueError
        One is no store, or is there twice.
    """
    names: list[StoreName] = []
    for table, partition in listed:
        if table not in TABLES or type(partition) is not int or not 0 <= partition <= PARTITION_MAX:
            expected = f"a table ({' or '.join(TABLES)}) and the number of a partition"
            raise ValueError(f"for a store expected {expected}, came {[table, partition]!r:.200}")
        if (table, partition) in names:
            raise ValueError(f"expected each store once, came {table}, partition {partition} twice")
        names.append(StoreName(table, partition))
    return names


def write_whole(path: Path, header: Header, stores: Iterable[Rows]) -> int:
    """Write an export under its name only when all of it is on disk.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    StateError
        It cannot be written; no file of that name was made or changed.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            writer = ExportWriter(file, header)
            n_rows = sum(writer.write_store(rows) for rows in stores)
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StateError(
            f"expected to write {path}, came: {error}; give a place with room to write in"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return n_rows
