"""Adds a point to the observer's history every second, and tells everybody who looks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from stream_rec.serving.observer import Observer

POINT_S = 1.0


class Ticker:
    """A task of the event loop.

    Parameters
    ----------
    observer : Observer
    lag : callable
        Returns how many events the workers are behind, None if that is not known.
    """

    def __init__(self, observer: Observer, lag: Callable[[], int | None]) -> None:
        self._observer = observer
        self._lag = lag
        self._ticked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to tick."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def wait(self) -> None:
        """Wait for the next point."""
        await self._ticked.wait()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(POINT_S)
            self._observer.note_second(self._lag())
            ticked, self._ticked = self._ticked, asyncio.Event()
            ticked.set()
