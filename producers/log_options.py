"""The options that say how to read a log that does not explain itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from producers.command_line import parse_assignments
from stream_rec.logs import TIMESTAMP_UNITS, Columns, LogOptions, TimestampUnit

COLUMN_FIELDS = ("user", "item", "type", "value", "ts")


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets them together as ``how_to_read``."""

    @wraps(command)
    def with_log(
        header: str | None,
        delimiter: str | None,
        default_type: str | None,
        type_names: tuple[str, ...],
        timestamps: TimestampUnit,
        **others: Any,
    ) -> Any:
        columns = {field: others.pop(f"{field}_column") for field in COLUMN_FIELDS}
        how_to_read = LogOptions(
            columns=Columns(**columns),
            header=tuple(header.split(",")) if header else (),
            delimiter=delimiter.replace("\\t", "\t") if delimiter else None,
            default_type=default_type,
            types=parse_assignments(type_names, "--map-type"),
            timestamps=timestamps,
        )
        return command(how_to_read=how_to_read, **others)

    for option in (
        click.option("--map-type", "type_names", multiple=True, metavar="OLD=NEW",
                     help="Rename a type of the log, e.g. buy=purchase; may be repeated."),
        click.option("--type", "default_type", metavar="TYPE",
                     help="Type of events where the log has none.  [default: guessed]"),
        click.option("--timestamps", type=click.Choice(TIMESTAMP_UNITS), default="auto",
                     show_default=True, help="How times are written. s, ms: unit of numbers; "
                     "date: 20240531; dmy, mdy: what comes first in 12/1/2010."),
        click.option("--delimiter", help="Between the columns.  [default: guessed]"),
        click.option("--header", metavar="NAME,NAME,…",
                     help="Names of the columns when the first line is already an event."),
        *(
            click.option(f"--{field}-column", metavar="NAME",
                         help=f"Column of the {field}.  [default: guessed]")
            for field in reversed(COLUMN_FIELDS)
        ),
    ):  # fmt: skip
        with_log = option(with_log)
    return with_log
