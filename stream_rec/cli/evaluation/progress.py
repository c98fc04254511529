"""Progress of a long run on the terminal: what is being done, how far, how fast, how long still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

REFRESH_INTERVAL_S = 0.1


class Steps:
    """One piece of work under way; without a terminal nothing is shown.

    Parameters
    ----------
    progress : Progress, optional
    task : TaskID, optional
    """

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress = progress
        self._task = task
        self._started_s = self._updated_s = time.monotonic()

    def update(self, n_events: int, fraction: float | None) -> None:
        """Show how far it is, if it was not shown a moment ago."""
        now_s = time.monotonic()
        if (
            self._progress is None
            or self._task is None
            or now_s - self._updated_s < REFRESH_INTERVAL_S
        ):
            return
        self._updated_s = now_s
        self._progress.update(
            self._task,
            completed=fraction or 0.0,
            total=None if fraction is None else 1.0,
            n_events=n_events,
            rate=n_events / (now_s - self._started_s),
        )


@contextmanager
def show_steps(title: str) -> Iterator[Steps]:
    """Show a piece of work on standard error, as long as it takes, where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Steps()
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[n_events]:,} events  {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        yield Steps(progress, progress.add_task(title, total=None, n_events=0, rate=0.0))
