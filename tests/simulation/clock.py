"""Virtual time: an event loop whose clock jumps to whatever is to happen next.

Nothing waits, nothing depends on the speed of the machine, and two runs of the same schedule take
the same steps in the same order. What production code moves to a thread runs in place.
"""

from __future__ import annotations

import asyncio
from asyncio import base_events
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class StalledError(AssertionError):
    """Nothing is left to happen, yet something is being waited for."""


class _JumpingSelector:
    """Instead of waiting for sockets, lets the time pass."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout_s: float | None) -> list[Any]:
        if timeout_s is None:
            raise StalledError("nothing is left to happen")
        self._loop.now_s += timeout_s
        return []


class VirtualLoop(base_events.BaseEventLoop):
    """An event loop in virtual time, from 0 s on."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._clock_resolution = 1e-9
        self._selector = _JumpingSelector(self)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self.now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, function: Callable[..., Result], *arguments: Any
    ) -> asyncio.Future[Result]:
        """Run a function at once, as a thread that is infinitely fast."""
        future = self.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def pass_time(self, duration_s: float) -> asyncio.Future[None]:
        """Return what can be awaited for a stretch of virtual time."""
        future = self.create_future()
        self.call_later(duration_s, _finish, future)
        return future

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def run_virtually(main: Callable[[VirtualLoop], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine function on a new virtual loop until it returns."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.close()
