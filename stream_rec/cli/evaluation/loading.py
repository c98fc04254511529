"""Read a recorded log for evaluation: what cannot be used is left out, counted and told."""

from __future__ import annotations

from collections.abc import Sequence

from stream_rec.cli.evaluation.loaded import LoadedLog, refusal
from stream_rec.cli.evaluation.progress import Steps
from stream_rec.config import EventSettings
from stream_rec.errors import InputError
from stream_rec.evaluation.cleaning import Cleaning
from stream_rec.evaluation.columns import ColumnsBuilder
from stream_rec.logs import LogOptions, open_log
from stream_rec.logs.layouts import readable

BAD_ROWS_KEPT_MAX = 3
ROWS_PER_STEP = 1000
DROPPABLE = DUPLICATES, BOTS = "duplicates", "bots"


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
    reasons = [*bad_rows[:1], *(refusal(cleaning, code) for code in cleaning.refused)]
    because = f": {reasons[0]}" if reasons else "; give another log"
    return f"expected events in {path} (read as {layout}), came none that can be used{because}"
