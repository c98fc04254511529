"""What the demo says at its end: the figures, and what to try next."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_rec.cli.demo.snapshot import Snapshot
from stream_rec.cli.demo.words import latency_text

NEXT_COMMANDS = (
    ("stream-rec demo --rate 3000", "the same, faster"),
    ("stream-rec --config config/embedded.toml worker", "a worker with its own broker, for you"),
    ("stream-rec replay LOG.csv --broker HOST:PORT", "replay a log of yours into it"),
    ("stream-rec tail --set kafka.broker=HOST:PORT", "follow the refreshed lists"),
    ("stream-rec --help", "everything else"),
)


def summary(snapshot: Snapshot, replay_s: float) -> RenderableType:
    """Tell the figures of a finished run.

    Parameters
    ----------
    snapshot : Snapshot
        The last one.
    replay_s : float
        Seconds from the first event to the last list.
    """
    head = Text(
        f"\n{snapshot.n_events:,} film ratings in, {snapshot.n_lists:,} refreshed lists out, "
        f"{snapshot.n_events / max(replay_s, 1e-9):,.0f} a second",
        style="bold",
    )
    return Group(head, _figures(snapshot, replay_s), Text("\nTry next:"), _next_commands())


def _figures(snapshot: Snapshot, replay_s: float) -> Table:
    gain = snapshot.hit_rate / max(snapshot.popularity_hit_rate, 1e-9)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bright_black")
    table.add_column()
    table.add_row(
        "  latency",
        f"p50 {latency_text(snapshot.latency_p50_ms)}, p99 {latency_text(snapshot.latency_p99_ms)} "
        "from the producer's send to the list here",
    )
    table.add_row(
        "  HR@10",
        f"{snapshot.hit_rate:.3f} of the next films were in the served list; plain popularity "
        f"{snapshot.popularity_hit_rate:.3f} ({gain:.2f}×), {snapshot.n_scored:,} scored",
    )
    table.add_row("  time", f"{replay_s:.0f} s replayed, {snapshot.elapsed_s:.0f} s with start-up")
    return table


def _next_commands() -> Table:
    table = Table.grid(padding=(0, 2))
    for command, purpose in NEXT_COMMANDS:
        table.add_row(Text(f"  {command}", style="bold"), Text(purpose, style="bright_black"))
    return table
