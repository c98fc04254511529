"""What the demo says at its end: the figures, some users, and what to try next."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_rec.cli.demo.people import people
from stream_rec.cli.demo.snapshot import Snapshot
from stream_rec.cli.demo.words import Titles, latency_text

PEOPLE_ROWS = 11
INDENT = 2
NEXT_COMMANDS = (
    ("stream-rec demo --rate 2000", "the same, faster"),
    ("stream-rec --config config/embedded.toml worker", "a worker with its own broker"),
    ("stream-rec replay LOG.csv --set …", "a log of yours into it, with the --set that it prints"),
    ("stream-rec tail --set …", "follow its refreshed lists"),
    ("stream-rec --help", "everything else"),
)


def summary(snapshot: Snapshot, titles: Titles, replay_s: float, width: int = 80) -> RenderableType:
    """Tell the figures of a finished run.

    Parameters
    ----------
    snapshot : Snapshot
        The last one.
    titles : Titles
        Names of items.
    replay_s : float
        Seconds from the first event to the last list.
    width : int
        Of the output, in characters.
    """
    head = Text(
        f"\n{snapshot.n_events:,} film ratings in, {snapshot.n_lists:,} refreshed lists out, "
        f"{snapshot.n_events / max(replay_s, 1e-9):,.0f} a second",
        style="bold",
    )
    return Group(
        head,
        _figures(snapshot, replay_s),
        Text("\nJust rated, and recommended now:\n"),
        people(snapshot.moments, titles, PEOPLE_ROWS, width),
        Text("\nTry next:"),
        _table(NEXT_COMMANDS, "bold", "dim"),
    )


def _figures(snapshot: Snapshot, replay_s: float) -> RenderableType:
    p50, p99 = latency_text(snapshot.latency_p50_ms), latency_text(snapshot.latency_p99_ms)
    gain = snapshot.hit_rate / max(snapshot.popularity_hit_rate, 1e-9)
    rows = (
        ("latency", f"p50 {p50}, p99 {p99}, from the producer's send to the list here"),
        (
            "HR@10",
            f"{snapshot.hit_rate:.3f} served lists, {snapshot.popularity_hit_rate:.3f} plain "
            f"popularity ({gain:.2f}×), {snapshot.n_scored:,} scored",
        ),
        ("time", f"{replay_s:.0f} s of replay, {snapshot.elapsed_s:.0f} s with start and stop"),
    )
    return _table(rows, "dim", "")


def _table(rows: tuple[tuple[str, str], ...], first_style: str, second_style: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style=first_style)
    table.add_column(style=second_style)
    for first, second in rows:
        table.add_row(" " * INDENT + first, second)
    return table
