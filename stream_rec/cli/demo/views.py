"""Where snapshots are shown: redrawn on a terminal, or as a line every now and then."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from stream_rec.cli.demo.live import live_view
from stream_rec.cli.demo.plain import moment_line, progress_line
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.statistics import Moment
from stream_rec.cli.demo.words import Titles

LIVE_INTERVAL_S = 0.25
PLAIN_INTERVAL_S = 2.0
PICTURE_SIZE = (100, 34)

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
        yield PlainView(console.out, titles)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(snapshot: Snapshot) -> None:
            live.update(live_view(snapshot, titles, *console.size), refresh=True)

        yield show


def save_picture(snapshot: Snapshot, titles: Titles, path: Path) -> None:
    """Save what a terminal would show of a snapshot as an SVG picture, with no outside fonts."""
    width, height = PICTURE_SIZE
    console = Console(
        record=True, file=io.StringIO(), force_terminal=True, width=width, height=height
    )
    console.print(live_view(snapshot, titles, width, height))
    picture = console.export_svg(title="stream-rec demo")
    path.write_text(re.sub(r"@font-face {.*?}", "", picture, flags=re.DOTALL), encoding="utf-8")


class PlainView:
    """Print a line when the phase changes, and every `PLAIN_INTERVAL_S` in between.

    Parameters
    ----------
    print_line : callable
        Where to print.
    titles : Titles
        Names of items.
    """

    def __init__(self, print_line: Callable[[str], None], titles: Titles) -> None:
        self._print_line = print_line
        self._titles = titles
        self._phase: Phase | None = None
        self._moment: Moment | None = None
        self._shown_s = 0.0
        self._web_url: str | None = None

    def __call__(self, snapshot: Snapshot) -> None:
        """Show a snapshot if it is time to."""
        if snapshot.web_url != self._web_url:
            self._web_url = snapshot.web_url
            self._print_line(f"         live page at {snapshot.web_url}")
        is_due = snapshot.elapsed_s - self._shown_s >= PLAIN_INTERVAL_S and snapshot.n_lists > 0
        if snapshot.phase is self._phase and not is_due:
            return
        self._phase, self._shown_s = snapshot.phase, snapshot.elapsed_s
        self._print_line(progress_line(snapshot))
        if snapshot.moments and snapshot.moments[0] is not self._moment:
            self._moment = snapshot.moments[0]
            self._print_line(moment_line(self._moment, self._titles))
