"""Turn each kind of log file into raw records: ``(position, mapping of column to raw field)``.

The position is what an editor or a person would count: the line of a text file, the row of a
Parquet file, both from 1. Nothing here keeps more than one line or one Parquet batch in memory.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from stream_rec.errors import InputError
from stream_rec.logs.files import RawFile
from stream_rec.logs.layouts import LogLayout
from stream_rec.logs.rows import FieldError

PARQUET_BATCH_ROWS = 4096
MISSING = frozenset({"NULL", "null", "\\N", "NaN", "nan", "<NA>"})
"""What databases and pandas write for a value that is not there."""
RECORD_LINES_MAX = 1000
"""Lines that a quoted field may go over: a stray quote is known as such after them."""


class RawRecord(NamedTuple):
    """One record before its fields are checked; ``problem`` when it could not even be split."""

    position: int
    fields: Mapping[str, Any]
    problem: FieldError | None = None


def read_csv(lines: Iterator[str], layout: LogLayout) -> Iterator[RawRecord]:
    """Split the lines of a delimited log."""
    split = _split_quoted if len(layout.delimiter) == 1 else _split_plain
    rows = split(lines, layout.delimiter)
    if layout.has_header_line:
        next((row for _, row in rows if row), None)
    header = layout.header
    for position, row in rows:
        if isinstance(row, FieldError):
            yield RawRecord(position, {}, row)
        elif len(row) == len(header):
            values = ["" if value in MISSING else value for value in row]
            yield RawRecord(position, dict(zip(header, values, strict=True)))
        elif row:
            problem = FieldError(f"expected {len(header)} columns, got {len(row)}")
            yield RawRecord(position, {}, problem)


def _split_quoted(
    lines: Iterator[str], delimiter: str
) -> Iterator[tuple[int, list[str] | FieldError]]:
    record_lines = _RecordLines(lines)
    table = csv.reader(record_lines, delimiter=delimiter, strict=True)
    while True:
        record_lines.begin_record()
        try:
            row = next(table, None)
        except csv.Error as error:
            # A stray quote takes all that follows for its field: go on after the line it is in.
            record_lines.give_back_all_but_first()
            yield record_lines.position, FieldError(f"expected delimited values, got: {error}")
            continue
        if row is None:
            return
        yield record_lines.position, row


class _RecordLines:
    """Lines of a log, of which those of the record under way can be given back.

    Attributes
    ----------
    position : int
        Of the latest line, from 1.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self.position = 0
        self._lines = lines
        self._given_back: deque[str] = deque()
        self._record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._record) == RECORD_LINES_MAX:
            raise StopIteration
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self._record.append(line)
        self.position += 1
        return line

    def begin_record(self) -> None:
        """Let the lines of the record before go."""
        self._record.clear()

    def give_back_all_but_first(self) -> None:
        """Let the lines of this record come again, except its first."""
        self._given_back.extendleft(reversed(self._record[1:]))
        self.position -= len(self._record[1:])


def _split_plain(
    lines: Iterator[str], delimiter: str
) -> Iterator[tuple[int, list[str] | FieldError]]:
    for position, line in enumerate(lines, start=1):
        yield position, line.rstrip("\r\n").split(delimiter) if line.strip() else []


def read_jsonl(lines: Iterator[str]) -> Iterator[RawRecord]:
    """Decode the lines of a JSON Lines log."""
    decode = msgspec.json.Decoder().decode
    for position, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            yield RawRecord(position, {}, FieldError(f"expected a JSON object, got: {error}"))
            continue
        if isinstance(record, dict):
            yield RawRecord(position, record)
        else:
            yield RawRecord(position, {}, FieldError(f"expected a JSON object, got {record!r}"))


def open_parquet(raw: RawFile) -> Any:
    """Open a Parquet file with pyarrow.

    Raises
    ------
    InputError
        When pyarrow is missing or the file is not whole.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            f"expected pyarrow to read Parquet, got none, for {raw.path}; "
            "pip install 'stream-rec[parquet]'"
        ) from None
    try:
        # A pipe cannot be read from its end, where a Parquet file says what it holds.
        seekable = raw.stream if raw.stream.seekable() else io.BytesIO(raw.stream.read())
        return parquet.ParquetFile(seekable)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged_parquet(error, raw.path) from None


def read_parquet(table: Any, layout: LogLayout, path: str) -> Iterator[RawRecord]:
    """Iterate over the rows of an open Parquet file, only the columns that are needed.

    Raises
    ------
    InputError
        When a part of the file is damaged.
    """
    columns = list(dict.fromkeys(layout.columns.given().values()))
    position = 0
    for batch in _parquet_batches(table, columns, path):
        for record in batch.to_pylist():
            position += 1
            yield RawRecord(position, record)


def _parquet_batches(table: Any, columns: list[str], path: str) -> Iterator[Any]:
    import pyarrow

    batches = table.iter_batches(batch_size=PARQUET_BATCH_ROWS, columns=columns)
    while True:
        try:
            batch = next(batches, None)
        except (pyarrow.ArrowException, OSError) as error:
            raise _damaged_parquet(error, path) from None
        if batch is None:
            return
        yield _in_milliseconds(batch)


def _in_milliseconds(batch: Any) -> Any:
    """Return a batch with times in milliseconds: Python's datetime holds no nanoseconds."""
    from pyarrow import timestamp, types

    for place, field in enumerate(batch.schema):
        if types.is_timestamp(field.type) and field.type.unit == "ns":
            times = batch.column(place).cast(timestamp("ms", field.type.tz), safe=False)
            batch = batch.set_column(place, field.name, times)
    return batch


def _damaged_parquet(error: Exception, path: str) -> InputError:
    return InputError(
        f"expected a whole Parquet file, got: {error}, in {path}; write the file again"
    )
