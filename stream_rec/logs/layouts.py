"""Where a log keeps its fields: given by the user, or guessed by the names of its columns.

Recognised without help: our own ``user,item,type,value,ts``, MovieLens ``ratings.csv``,
RetailRocket, REES46, Diginetica, and any header whose names are among the usual ones for user, item
and time; and the layouts without a header in headerless.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from stream_rec.errors import InputError

COLUMNS_SHOWN_CHARACTERS = 200
LogFormat = Literal["csv", "jsonl", "parquet"]
RATING, WITHOUT_VALUE = "rating", "view"
"""Where the log has no types: a rating, and what an event without a value is instead of one."""
PURCHASE, TAKEN_BACK = "purchase", "return"
"""Where the log has quantities, and no types: a purchase, and what one of less than nothing is."""


@dataclass(frozen=True)
class Columns:
    """Name of the column of each field; None where the log does not have it."""

    user: str | None = None
    item: str | None = None
    type: str | None = None
    value: str | None = None
    ts: str | None = None
    event_id: str | None = None
    session: str | None = None
    context: str | None = None

    def given(self) -> dict[str, str]:
        """Return the fields that have a column, by field."""
        by_field = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: column for name, column in by_field.items() if column is not None}


@dataclass(frozen=True)
class LogLayout:
    """How to read a log.

    Parameters
    ----------
    name : str
        What it was recognised as, to tell the user.
    format : {"csv", "jsonl", "parquet"}
        Kind of file.
    columns : Columns
        Column of each field.
    delimiter : str
        Between the columns of a text line; one or more characters.
    header : tuple of str
        Names of the columns, in order (csv only).
    has_header_line : bool
        Whether the first line is the header.
    default_type : str
        Type of events where the log has no type column.
    types : mapping of str to str
        Names of types in the log that are called otherwise here.
    notes : tuple of str
        What was guessed and a reader had better know.
    """

    name: str
    format: LogFormat
    columns: Columns
    delimiter: str = ","
    header: tuple[str, ...] = ()
    has_header_line: bool = True
    default_type: str = "view"
    types: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


RATING_NAMES = ("rating", "score", "stars")
QUANTITY_NAMES = ("quantity", "qty")
"""Usual names of columns with so many pieces: what has one is a sale, not a rating."""

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "user": (
        *("user", "userid", "visitorid", "customerid", "reviewerid", "uid", "username", "memberid"),
        *("accountid", "clientid", "personid", "visitor", "customer"),
    ),
    "item": (
        *("item", "itemid", "movieid", "productid", "articleid", "contentid", "asin", "iid"),
        *("parentasin", "bookid", "trackid", "songid", "artistid", "newsid", "gameid", "videoid"),
        *("animeid", "recipeid", "venueid", "businessid", "jobid", "sku", "stockcode", "product"),
    ),
    "type": ("type", "event", "eventtype", "action", "behavior", "behaviortype", "interaction"),
    "value": ("value", *RATING_NAMES, "overall", *QUANTITY_NAMES),
    "ts": (
        *("ts", "timestamp", "time", "unixtime", "unixreviewtime", "datetime", "createdat"),
        *("eventtime", "utctime", "eventdate", "invoicedate", "dateadded", "date"),
    ),
    "event_id": ("eventid",),
    "session": ("session", "sessionid"),
    "context": ("context",),
}
"""Usual names of each field's column, lower case without separators, best first."""

KNOWN_TYPES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("visitorid", {"addtocart": "cart", "transaction": "purchase"}),
    ("user_session", {"remove_from_cart": "skip"}),
)
"""A column that only one layout has, RetailRocket's and REES46's, and its names of event types."""
KNOWN_COLUMNS: Mapping[frozenset[str], Columns] = {
    frozenset({"sessionId", "userId", "itemId", "timeframe", "eventdate"}): Columns(
        user="sessionId", item="itemId", ts="eventdate"
    )
}
"""Diginetica: nearly no session has a user."""


_UNIT = re.compile(r"[(\[].*[)\]]")


def columns_from_header(header: Sequence[str]) -> Columns:
    """Choose the column of each field by the usual names.

    Examples
    --------
    >>> columns_from_header(["userId", "movieId", "rating", "timestamp"]).item
    'movieId'
    >>> columns_from_header(["User ID", "Item ID", "Timestamp (s)"]).ts
    'Timestamp (s)'
    """
    without_unit = {_plain(_UNIT.sub("", name)): name for name in reversed(header)}
    by_plain_name = without_unit | {_plain(name): name for name in reversed(header)}
    chosen = {
        name: next((by_plain_name[usual] for usual in usuals if usual in by_plain_name), None)
        for name, usuals in USUAL_NAMES.items()
    }
    return Columns(**chosen)


def readable(text: str) -> str:
    """Return text that can be written: what was no UTF-8 in a file or its name is replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def shown(header: Sequence[str]) -> str:
    """Return the names of columns for a person, cut where there are too many."""
    names = readable(", ".join(header))
    if len(names) <= COLUMNS_SHOWN_CHARACTERS:
        return names
    return f"{names[:COLUMNS_SHOWN_CHARACTERS]}…"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def layout_of_header(
    log_format: LogFormat, header: Sequence[str], delimiter: str = ","
) -> LogLayout:
    """Return the layout of a log whose columns have names."""
    columns = KNOWN_COLUMNS.get(frozenset(header)) or columns_from_header(header)
    default_type, notes = _guess_type(columns, header)
    return LogLayout(
        name=f"{log_format} with columns {shown(header)}",
        format=log_format,
        columns=columns,
        delimiter=delimiter,
        header=tuple(header),
        default_type=default_type,
        types=next((types for name, types in KNOWN_TYPES if name in header), {}),
        notes=notes,
    )


def _guess_type(columns: Columns, header: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the type of the events of a log by its columns, and what to tell of the guess."""
    if columns.type is not None or columns.value is None:
        return "view", ()
    quantity = next((name for name in header if _plain(name) in QUANTITY_NAMES), None)
    if quantity is None or _plain(columns.value) in RATING_NAMES:
        return RATING, ()
    note = (
        "no column of types: every event is taken as a purchase (below 0 as a return), for there "
        f"is a column {quantity!r}; say otherwise with --type"
    )
    return PURCHASE, (note,)


def with_given_columns(layout: LogLayout, given: Columns) -> LogLayout:
    """Return ``layout`` with the columns that the user named in place of the guessed ones.

    Raises
    ------
    InputError
        When a named column does not exist, or user or item is still unknown.
    """
    for name, column in given.given().items():
        if layout.header and column not in layout.header:
            raise InputError(
                f"expected a column {column!r} for {name}, the log has "
                f"{shown(layout.header)}; name one of these with --{name}-column"
            )
    columns = replace(layout.columns, **given.given())
    if layout.format != "jsonl":
        _require_columns(columns, layout.header)
    return replace(layout, columns=columns)


def _require_columns(columns: Columns, header: Sequence[str]) -> None:
    for name in ("user", "item"):
        if getattr(columns, name) is None:
            raise InputError(
                f"expected a column for {name}, the log has {shown(header)} and none of "
                f"the usual names ({', '.join(USUAL_NAMES[name])}); name it with --{name}-column"
            )
