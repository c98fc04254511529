"""A progress bar on the terminal, and nothing at all where there is none."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

REFRESH_INTERVAL_S = 0.1


class EventProgress:
    """Show how many events went out, how fast, and how much of the input that is.

    Parameters
    ----------
    title : str
        What is being done.
    """

    def __init__(self, title: str) -> None:
        console = Console(stderr=True)
        self._shown = console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[n_events]:,} events  {task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None, n_events=0, rate=0.0)
        self._started_s = self._updated_s = time.monotonic()

    def __enter__(self) -> Self:
        if self._shown:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            self._progress.stop()

    def update(self, n_events: int, fraction: float | None) -> None:
        """Show the state, if it was not shown a moment ago."""
        now_s = time.monotonic()
        if not self._shown or now_s - self._updated_s < REFRESH_INTERVAL_S:
            return
        self._updated_s = now_s
        self._progress.update(
            self._task,
            completed=fraction or 0.0,
            total=None if fraction is None else 1.0,
            n_events=n_events,
            rate=n_events / (now_s - self._started_s),
        )
