"""A few users: what each has just rated, and what is recommended now, with titles and reasons."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_rec.cli.demo.statistics import Moment
from stream_rec.cli.demo.words import Titles, rating_text, reason_of

ITEMS_GOOD = 4
ITEMS_MAX = 5
PLACE_WIDTH = 4


def people(moments: Sequence[Moment], titles: Titles, rows: int, width: int) -> RenderableType:
    """Draw as many users as there is room for, a line for each and a line per recommended item.

    Parameters
    ----------
    moments : sequence of Moment
        Users, the most telling first.
    titles : Titles
        Names of items.
    rows, width : int
        Room in characters.
    """
    # A user takes a line, one per item, and an empty line before the next user.
    n_users = max((rows + 1) // (ITEMS_GOOD + 2), 1)
    n_items = min((rows + 1) // n_users - 2, ITEMS_MAX)
    blocks: list[RenderableType] = []
    for moment in moments[:n_users]:
        if blocks:
            blocks.append(Text())
        blocks.append(_just_rated(moment, titles, width))
        blocks.append(_recommended(moment, titles, n_items, width))
    return Group(*blocks)


def _just_rated(moment: Moment, titles: Titles, width: int) -> Text:
    line = Text.assemble(
        ("user ", "dim"),
        (moment.user, "bold"),
        (" rated ", "dim"),
        (titles.full(moment.item), "bold"),
        (f" {rating_text(moment.value)}", "bold bright_cyan"),
        no_wrap=True,
        overflow="ellipsis",
    )
    if moment.place is not None:
        line.append(f"  ✔ was no. {moment.place} on their list", style="bright_green")
    line.truncate(width, overflow="ellipsis")
    return line


def _recommended(moment: Moment, titles: Titles, n_items: int, width: int) -> Table:
    title_width = (width - PLACE_WIDTH - 2) * 9 // 20
    reason_width = width - PLACE_WIDTH - 2 - title_width
    table = Table.grid(padding=(0, 1))
    table.add_column(width=PLACE_WIDTH, justify="right", style="dim")
    table.add_column(width=title_width, no_wrap=True, overflow="ellipsis")
    table.add_column(width=reason_width, no_wrap=True, overflow="ellipsis", style="dim")
    for place, listed in enumerate(moment.items[:n_items], 1):
        reason = reason_of(listed, moment.ratings, titles, reason_width)
        table.add_row(str(place), titles.full(listed.item), reason)
    return table
