"""When the next commit is due: after an interval, or sooner after many events."""

from __future__ import annotations

import asyncio


class CommitSchedule:
    """Waits until a commit is due.

    Parameters
    ----------
    interval_s : float
        At the latest after this time.
    events_max : int
        At the latest after this number of events.
    """

    def __init__(self, interval_s: float, events_max: int) -> None:
        self._interval_s = interval_s
        self._events_max = events_max
        self._n_events = 0
        self._due = asyncio.Event()

    def count(self, n_events: int) -> None:
        """Count events that were processed."""
        self._n_events += n_events
        if self._n_events >= self._events_max:
            self._due.set()

    async def wait(self) -> None:
        """Return when a commit is due, and begin to count anew."""
        try:
            async with asyncio.timeout(self._interval_s):
                await self._due.wait()
        except TimeoutError:
            pass
        self._due.clear()
        self._n_events = 0
