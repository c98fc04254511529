"""Where snapshots are shown: redrawn on a terminal, or as a line every now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from stream_rec.cli.demo.live import live_view
from stream_rec.cli.demo.plain import progress_line
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.words import Titles

LIVE_INTERVAL_S = 0.25
PLAIN_INTERVAL_S = 2.0

Show = Callable[[Snapshot], None]


@contextmanager
def open_view(console: Console, titles: Titles) -> Iterator[Show]:
    """Open the view that fits the console; the result shows a snapshot.

    Parameters
    ----------
    console : Console
        A terminal is drawn on in place; anything else gets plain lines.
    titles : Titles
        Names of items.
    """
    if not console.is_terminal:
        yield PlainView(console)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(snapshot: Snapshot) -> None:
            live.update(live_view(snapshot, titles, *console.size), refresh=True)

        yield show


class PlainView:
    """Print a line when the phase changes, and every `PLAIN_INTERVAL_S` in between.

    Parameters
    ----------
    console : Console
        Where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phase: Phase | None = None
        self._shown_s = 0.0

    def __call__(self, snapshot: Snapshot) -> None:
        """Show a snapshot if it is time to."""
        waited = snapshot.elapsed_s - self._shown_s >= PLAIN_INTERVAL_S
        is_starting = snapshot.phase in (Phase.BROKER, Phase.WORKER)
        if snapshot.phase is not self._phase or (waited and not is_starting):
            self._console.out(progress_line(snapshot), highlight=False)
            self._phase, self._shown_s = snapshot.phase, snapshot.elapsed_s
