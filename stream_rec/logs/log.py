"""One recorded log, open: its layout, its typed rows, and how far it was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Self

from stream_rec.errors import InputError
from stream_rec.logs import readers
from stream_rec.logs.files import PARQUET_MAGIC, RawFile, text_lines
from stream_rec.logs.layouts import (
    PURCHASE,
    RATING,
    TAKEN_BACK,
    WITHOUT_VALUE,
    Columns,
    LogLayout,
    layout_of_header,
    with_given_columns,
)
from stream_rec.logs.recognise import recognise_text
from stream_rec.logs.rows import (
    FieldError,
    LogRow,
    parse_context,
    parse_id,
    parse_optional_id,
    parse_time,
    parse_value,
)
from stream_rec.logs.timestamps import EITHER, TimestampUnit, day_order, writes_day

TIMES_LOOKED_AT = 100
DATES_LOOKED_AT = 50_000
"""Where dates do not say what comes first: a busy shop has as many lines in twelve days."""
EMPTY_LINES_MAX = 1000
BadRowHandler = Callable[[InputError], None]


@dataclass(frozen=True)
class LogOptions:
    """What the user knows about a log and need not be guessed.

    Parameters
    ----------
    columns : Columns
        Columns by name, each overruling the guess.
    header : tuple of str
        Names of the columns of a delimited log whose first line is already an event.
    delimiter : str, optional
        Between the columns of a delimited log, one or more characters.
    default_type : str, optional
        Type of events where the log has none.
    types : mapping of str to str
        Types that are called otherwise in the log: ``{"buy": "purchase"}``.
    timestamps : {"auto", "s", "ms", "date", "dmy", "mdy"}
        Unit of numeric times; "date": 8 digits write a day; "dmy", "mdy": what comes first in dates
        such as 12/1/2010.
    """

    columns: Columns = field(default_factory=Columns)
    header: tuple[str, ...] = ()
    delimiter: str | None = None
    default_type: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    timestamps: TimestampUnit = "auto"


class EventLog:
    """An open log; use it as a context manager and read its rows once.

    Attributes
    ----------
    path : str
        Where it is.
    layout : LogLayout
        How it is read, guessed and given together.
    n_bad_rows : int
        Rows passed over so far because they could not be used.
    n_without_value : int
        Rows so far that have no value in a log of ratings, and so are taken as views.
    """

    def __init__(self, path: str, options: LogOptions) -> None:
        self.path = path
        self.n_bad_rows = self.n_without_value = 0
        self._options = options
        self._cleanup = ExitStack()
        self._raw = RawFile(path)
        self._cleanup.callback(self._raw.close)
        try:
            self.layout, self._records = self._open()
        except BaseException:
            self._cleanup.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def fraction_read(self) -> float | None:
        """Return the part of the file that was read, 0 to 1, or None when that is unknown."""
        return self._raw.fraction_read()

    def rows(self, on_bad_row: BadRowHandler | None = None) -> Iterator[LogRow]:
        """Iterate over the rows, in file order.

        Parameters
        ----------
        on_bad_row : callable, optional
            Told the error of each row that cannot be used, which is then passed over and
            counted. Without it such a row is an error.

        Raises
        ------
        InputError
            What was expected, what came, file and line, and what to do.
        """
        parse_row = self._row_parser(self._unit_of_times())
        for record in self._records:
            try:
                if record.problem is not None:
                    raise record.problem
                row = parse_row(record.fields)
            except FieldError as problem:
                if on_bad_row is None:
                    raise self._explain(problem, record.position, ", or skip bad rows") from None
                self.n_bad_rows += 1
                on_bad_row(self._explain(problem, record.position))
            else:
                yield row

    def _open(self) -> tuple[LogLayout, Iterator[readers.RawRecord]]:
        if self._raw.magic.startswith(PARQUET_MAGIC):
            table = readers.open_parquet(self._raw)
            layout = self._apply_options(layout_of_header("parquet", table.schema_arrow.names))
            return layout, readers.read_parquet(table, layout, self.path)
        lines = self._cleanup.enter_context(text_lines(self._raw))
        head = _first_lines(lines)
        recognised = recognise_text(
            head[-1] if head else "", self.path, self._options.header, self._options.delimiter
        )
        layout = self._apply_options(recognised)
        all_lines = chain(head, lines)
        if layout.format == "jsonl":
            return layout, readers.read_jsonl(all_lines)
        return layout, readers.read_csv(all_lines, layout)

    def _apply_options(self, layout: LogLayout) -> LogLayout:
        layout = with_given_columns(layout, self._options.columns)
        return replace(
            layout,
            default_type=self._options.default_type or layout.default_type,
            notes=() if self._options.default_type else layout.notes,
            types={**layout.types, **self._options.types},
        )

    def _unit_of_times(self) -> TimestampUnit:
        """Return how times are written; the first ones tell whether all are days of 8 digits.

        Dates that may be two are looked at until one of them can be only one.
        """
        column, unit = self.layout.columns.ts, self._options.timestamps
        if unit != "auto" or column is None:
            return unit
        looked_at = []
        for record in islice(self._records, DATES_LOOKED_AT):
            looked_at.append(record)
            raw = record.fields.get(column)
            order = day_order(raw)
            if order == EITHER:
                continue
            if raw is not None and raw != "":
                unit = "date" if writes_day(raw) else order or "auto"
                if unit != "date":
                    break  # so that a log that is still being written is read as it comes
            if len(looked_at) >= TIMES_LOOKED_AT:
                break
        self._records = chain(looked_at, self._records)
        return unit

    def _row_parser(self, unit: TimestampUnit) -> Callable[[Any], LogRow]:
        columns = self.layout.columns
        types, default_type = self.layout.types, self.layout.default_type

        def parse_row(fields: Any) -> LogRow:
            get = fields.get
            value = parse_value(get(columns.value), "value")
            event_type = parse_optional_id(get(columns.type), "type")
            if event_type is None:
                event_type = default_type
                if value is None and default_type == RATING:
                    event_type = WITHOUT_VALUE
                    self.n_without_value += 1
                elif value is not None and value < 0.0 and default_type == PURCHASE:
                    event_type = TAKEN_BACK
            return LogRow(
                parse_id(get(columns.user), "user"),
                parse_id(get(columns.item), "item"),
                types.get(event_type, event_type),
                value,
                parse_time(get(columns.ts), "ts", unit),
                parse_optional_id(get(columns.event_id), "event_id"),
                parse_optional_id(get(columns.session), "session"),
                parse_context(get(columns.context), "context"),
            )

        return parse_row

    def _explain(self, problem: FieldError, position: int, or_else: str = "") -> InputError:
        return InputError(
            f"{problem}, in {self.path}:{position} (read as {self.layout.name}); "
            f"mend the row or name the columns{or_else}"
        )


def _first_lines(lines: Iterator[str]) -> list[str]:
    """Return the lines up to the first one that is not empty."""
    head = []
    for line in islice(lines, EMPTY_LINES_MAX):
        head.append(line)
        if line.strip("\r\n"):
            break
    return head


def open_log(path: str | PathLike[str], options: LogOptions | None = None) -> EventLog:
    """Open a recorded event log.

    Parameters
    ----------
    path : path-like
        CSV, JSON Lines or Parquet, plain or packed (gz, bz2, xz, zst); ``-`` is standard input.
    options : LogOptions, optional
        What need not be guessed.

    Returns
    -------
    EventLog
        A context manager.

    Raises
    ------
    InputError
        When the file cannot be opened or its layout is not understood.

    Examples
    --------
    >>> from stream_rec.data import SAMPLE_EVENTS
    >>> with open_log(SAMPLE_EVENTS) as log:
    ...     print(next(log.rows()))
    LogRow(user='4491', item='1893256', type='rating', value=9.0, ts_ms=1380563390000, \
event_id=None, session=None, context=None)
    """
    return EventLog(fspath(path), options or LogOptions())
