"""Read a recorded log for evaluation: what cannot be used is left out, counted and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream_rec.cli.evaluation.progress import Steps
from stream_rec.config import EventSettings
from stream_rec.errors import InputError
from stream_rec.evaluation.cleaning import Cleaning
from stream_rec.evaluation.columns import ColumnsBuilder, LogColumns
from stream_rec.logs import LogOptions, open_log
from stream_rec.logs.layouts import readable

BAD_ROWS_KEPT_MAX = 3
ROWS_PER_STEP = 1000
DROPPABLE = DUPLICATES, BOTS = "duplicates", "bots"


@dataclass
class LoadedLog:
    """A log in memory.

    Attributes
    ----------
    path : str
    layout : str
        What it was recognised as.
    columns : LogColumns
    cleaning : Cleaning
    n_bad_rows : int
        Rows that could not be read.
    first_bad_rows : list of str
        The errors of the first of them.
    n_without_value : int
        Rows without a value in a log of ratings, taken as views.
    notes : tuple of str
        What was guessed about the log and a reader had better know.
    """

    path: str
    layout: str
    columns: LogColumns
    cleaning: Cleaning
    n_bad_rows: int = 0
    first_bad_rows: list[str] = field(default_factory=list)
    n_without_value: int = 0
    notes: tuple[str, ...] = ()


def load_log(
    path: str,
    options: LogOptions,
    settings: EventSettings,
    limit: int | None,
    steps: Steps,
    drop: Sequence[str] = (),
) -> LoadedLog:
    """Read the first `limit` usable events of a log, or all.

    Parameters
    ----------
    path : str
    options : LogOptions
    settings : EventSettings
    limit : int or None
    steps : Steps
    drop : sequence of str
        Which of DROPPABLE to leave out.

    Raises
    ------
    InputError
        The log cannot be opened, or holds no usable event.
    """
    builder = ColumnsBuilder(settings)
    first_bad_rows: list[str] = []

    def on_bad_row(error: InputError) -> None:
        if len(first_bad_rows) < BAD_ROWS_KEPT_MAX:
            first_bad_rows.append(str(error))

    with open_log(path, options) as log:
        layout = log.layout
        for number, row in enumerate(log.rows(on_bad_row)):
            builder.add(row)
            if limit is not None and len(builder) >= limit:
                break
            if number % ROWS_PER_STEP == 0:
                steps.update(len(builder), log.fraction_read())
    if not len(builder):
        raise InputError(_no_event(path, layout.name, builder.cleaning, first_bad_rows))
    columns = builder.build(drop_repeated=DUPLICATES in drop, drop_bots=BOTS in drop)
    if not len(columns.user):
        raise InputError(f"expected events in {path} beside those of bots, came none; keep bots")
    return LoadedLog(
        readable(path),
        layout.name,
        columns,
        builder.cleaning,
        log.n_bad_rows,
        first_bad_rows,
        log.n_without_value,
        layout.notes,
    )


def _no_event(path: str, layout: str, cleaning: Cleaning, bad_rows: list[str]) -> str:
    """Say why nothing of a log can be used."""
    reasons = [*bad_rows[:1], *cleaning.first_refusal.values()]
    because = f": {reasons[0]}" if reasons else ""
    return (
        f"expected events in {path} (read as {layout}), came none that can be used{because}; "
        "name its columns and types, or give another log"
    )
