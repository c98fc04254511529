"""Tell the layout of a text log from its first line."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import Any

import msgspec

from stream_rec.errors import InputError
from stream_rec.logs.headerless import HEADERLESS
from stream_rec.logs.layouts import Columns, LogLayout, layout_of_header

_JSON_ARRAY = re.compile(r"\s*\[\s*([{\[]|$)")
DELIMITERS = (",", "\t", ";", "|", "::")


def recognise_text(
    first_line: str, path: str, given_header: tuple[str, ...] = (), delimiter: str | None = None
) -> LogLayout:
    """Recognise the layout of a text log by its first line.

    Parameters
    ----------
    first_line : str
        The line, with or without its end.
    path : str
        Where it is, for the error.
    given_header : tuple of str
        Names of the columns when the first line is already an event.
    delimiter : str, optional
        Between the columns, when it need not be guessed.

    Raises
    ------
    InputError
        When there is no first line, or it begins a JSON array.
    """
    line = first_line.rstrip("\r\n")  # a first column without a name begins with its delimiter
    if not line.strip():
        raise InputError(f"expected events, got an empty first line in {path}; give another log")
    if line.lstrip().startswith("{"):
        return _recognise_jsonl(line)
    if _JSON_ARRAY.match(line):
        raise InputError(
            f"expected JSON Lines, an object a line, came an array in {path}; write each of its "
            "objects on a line of its own"
        )
    if given_header:
        layout = layout_of_header("csv", given_header, delimiter or _guess_delimiter(line))
        return replace(layout, has_header_line=False)
    for pattern, layout in HEADERLESS:
        if pattern.fullmatch(line):
            return layout
    delimiter = delimiter or _guess_delimiter(line)
    return layout_of_header("csv", _split(line, delimiter), delimiter)


def _guess_delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _split(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter))


def _recognise_jsonl(line: str) -> LogLayout:
    try:
        keys = list(msgspec.json.decode(line, type=dict[str, Any]))
    except msgspec.DecodeError:
        keys = []
    guessed = layout_of_header("jsonl", keys)
    own_names = Columns(**{name: name for name in Columns.__dataclass_fields__})
    columns = replace(own_names, **guessed.columns.given())
    return replace(guessed, name="JSON Lines", columns=columns, header=())
