"""Open a log whatever it is packed with, told by its first bytes rather than by its name.

Plain, gzip, bzip2, xz and zstd; ``-`` is the standard input. zstd is read by Python 3.14 itself
and through pyarrow before.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from stream_rec.errors import InputError

STANDARD_INPUT = "-"
PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_BZIP2_MAGIC = b"BZh"
_XZ_MAGIC = b"\xfd7zXZ\x00"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class RawFile:
    """An open file as it is on disk, which knows how far it was read.

    Parameters
    ----------
    path : str
        The file, or ``-``.

    Raises
    ------
    InputError
        When the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size_bytes: int | None = None
        if path == STANDARD_INPUT:
            self.stream = cast(io.BufferedReader, sys.stdin.buffer)
            return
        try:
            self.stream = Path(path).open("rb")  # noqa: SIM115
        except OSError as error:
            raise InputError(
                f"expected a log to read at {path}, got: {error.strerror}; give the path of a "
                "CSV, JSON Lines or Parquet file"
            ) from None
        self.size_bytes = Path(path).stat().st_size

    @property
    def magic(self) -> bytes:
        """First bytes of the file, which stay to be read."""
        return self.stream.peek(len(_XZ_MAGIC))[: len(_XZ_MAGIC)]

    def fraction_read(self) -> float | None:
        """Return the part of the file that was read, 0 to 1, or None for a stream."""
        if not self.size_bytes or self.stream.closed:
            return None
        return self.stream.tell() / self.size_bytes

    def close(self) -> None:
        """Close the file, but not the standard input."""
        if self.path != STANDARD_INPUT:
            self.stream.close()


@contextmanager
def text_lines(raw: RawFile) -> Iterator[Iterator[str]]:
    """Iterate over the unpacked lines of a text log, line ends kept.

    Raises
    ------
    InputError
        When the packing is damaged.
    """
    unpacked = _unpack(raw)
    # Bytes that are not UTF-8 spoil the field they are in (see rows.py), not the whole log.
    text = io.TextIOWrapper(unpacked, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        if _begins_utf16(unpacked, raw.path):
            text.reconfigure(encoding="utf-16", errors="replace", newline="")
        yield _lines_with_errors(text, raw.path)
    finally:
        text.detach()
        if unpacked is not raw.stream:
            unpacked.close()


def _begins_utf16(unpacked: IO[bytes], path: str) -> bool:
    """Tell whether a text begins with a byte order mark of UTF-16."""
    peek = getattr(unpacked, "peek", None)
    if peek is None:  # pyarrow's zstd
        return False
    try:
        return peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    except _damage_errors() as error:
        raise _damage(path, 0, error) from None


def _lines_with_errors(text: io.TextIOWrapper, path: str) -> Iterator[str]:
    n_lines = 0
    try:
        for line in text:
            n_lines += 1
            yield line
    except _damage_errors() as error:
        raise _damage(path, n_lines, error) from None


def _damage(path: str, n_lines: int, error: Exception) -> InputError:
    return InputError(
        f"expected a whole compressed file, got damage after {path}:{n_lines} ({error}); "
        "fetch or pack the file again"
    )


def _damage_errors() -> tuple[type[Exception], ...]:
    """Return what the unpackers raise at damage."""
    errors = (OSError, EOFError, lzma.LZMAError, zlib.error)
    if sys.version_info >= (3, 14):
        from compression import zstd

        return (*errors, zstd.ZstdError)
    return errors


def _unpack(raw: RawFile) -> IO[bytes]:
    magic = raw.magic
    if magic.startswith(_GZIP_MAGIC):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw.stream))
    if magic.startswith(_BZIP2_MAGIC):
        return bz2.BZ2File(raw.stream)
    if magic.startswith(_XZ_MAGIC):
        return lzma.LZMAFile(raw.stream)
    if magic.startswith(_ZSTD_MAGIC):
        return _unpack_zstd(raw)
    return raw.stream


def _unpack_zstd(raw: RawFile) -> IO[bytes]:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return cast(IO[bytes], zstd.ZstdFile(raw.stream))
    try:
        import pyarrow
    except ImportError:
        raise InputError(
            f"expected pyarrow to unpack zstd, got none, for {raw.path}; "
            "pip install 'stream-rec[parquet]', use Python 3.14, or unpack the file first"
        ) from None
    return cast(IO[bytes], pyarrow.CompressedInputStream(raw.stream, "zstd"))
