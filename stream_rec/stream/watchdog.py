"""A worker that makes no progress ends itself; whoever supervises it starts it again.

Two things are watched:

- the event loop: when it does not turn for ``worker.stall_timeout_s``, a thread that needs no
  Python lock prints where every thread stands and ends the process (the standard library's
  ``faulthandler``);
- the work: when nothing moves for that time although there are events to process, or a rebalance or
  a recovery to finish, the worker fails. Moving is: processing, recovering, getting partitions.

The lag is asked of Kafka by a client of its own, because a consumer that has stopped fetching also
stops learning where its partitions end. Offsets without records (transaction markers) are no lag.
"""

from __future__ import annotations

import asyncio
import faulthandler
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from stream_rec.errors import StreamRecError

CHECKS_PER_TIMEOUT = 8


class StalledError(StreamRecError):
    """There was work, and nothing moved."""


class Work(Protocol):
    """What the watchdog looks at."""

    def progress(self) -> Hashable:
        """Return something that differs as soon as anything has moved."""

    async def pending(self) -> str | None:
        """Say what there is to do, None where there is nothing."""


class ProgressWatch:
    """Decides from successive looks whether work stands still.

    Parameters
    ----------
    timeout_s : float
        How long nothing may move.

    Examples
    --------
    >>> watch = ProgressWatch(timeout_s=10)
    >>> [watch.has_moved("same", now_s) for now_s in (0, 5, 10)]
    [True, True, False]
    >>> watch.has_moved("other", 11)
    True
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._seen: Hashable = None
        self._since_s: float | None = None

    def has_moved(self, progress: Hashable, now_s: float) -> bool:
        """Take a look; False when it has been the same for the whole timeout."""
        if self._since_s is None or progress != self._seen:
            self._seen, self._since_s = progress, now_s
        return now_s - self._since_s < self._timeout_s

    def forgive(self, now_s: float) -> None:
        """Begin to wait anew: standing still was right."""
        self._since_s = now_s


async def watch_progress(
    work: Work,
    timeout_s: float,
    clock_s: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Look at the work for ever.

    Parameters
    ----------
    work : Work
        What is watched.
    timeout_s : float
        How long nothing may move while there is work.
    clock_s : Callable[[], float]
        Monotonic clock, in seconds.
    sleep : Callable[[float], Awaitable[object]]
        Waits for the next look.

    Raises
    ------
    StalledError
        There is work, and nothing has moved for that time.
    """
    watch = ProgressWatch(timeout_s)
    while True:
        await sleep(timeout_s / CHECKS_PER_TIMEOUT)
        if watch.has_moved(work.progress(), clock_s()):
            continue
        pending = await work.pending()
        if pending is not None:
            raise StalledError(
                f"expected progress within {timeout_s:g} s (worker.stall_timeout_s), came none "
                f"although there is work: {pending}; this worker ends itself and goes on from what "
                "is durable when it is started again"
            )
        watch.forgive(clock_s())


async def beat_for_event_loop(timeout_s: float) -> None:
    """Keep the process alive as long as the event loop turns; cancel this to disarm it."""
    try:
        while True:
            faulthandler.dump_traceback_later(timeout_s, exit=True)
            await asyncio.sleep(timeout_s / CHECKS_PER_TIMEOUT)
    finally:
        faulthandler.cancel_dump_traceback_later()
