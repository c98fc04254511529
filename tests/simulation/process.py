"""A process of a worker: it runs, is frozen and woken, and dies, at any effect.

Every effect passes `Process.step` twice, before and after it happens. There the schedule may kill
or freeze the process; a dead process never comes out of a step again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from tests.simulation.clock import VirtualLoop
from tests.simulation.disk import Disk


class Crash(BaseException):
    """The process is gone; nothing that it does counts any more."""


class Watcher(Protocol):
    """Whoever counts effects and strikes at some of them."""

    def strike(self, process: Process, effect: str, after: bool) -> None:
        """Kill or freeze the process, if it is time."""

    def latency_s(self, effect: str) -> float:
        """Return how long an effect takes."""


class Process:
    """One run of a worker's program.

    Parameters
    ----------
    name : str
        Unique among all processes.
    disk : Disk
        Of the machine it runs on.
    """

    def __init__(self, name: str, disk: Disk, loop: VirtualLoop, watcher: Watcher) -> None:
        self.name = name
        self.disk = disk
        self.loop = loop
        self.is_dead = False
        self.on_wake: list[Callable[[], None]] = []
        self._watcher = watcher
        self._tasks: set[asyncio.Task[Any]] = set()
        self._awake = asyncio.Event()
        self._awake.set()

    @property
    def is_frozen(self) -> bool:
        """Whether it is stopped, to be woken later."""
        return not self._awake.is_set()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as a part of this process."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def kill(self) -> None:
        """End it at once."""
        self.is_dead = True
        self._awake.set()
        current = asyncio.current_task(self.loop)
        for task in list(self._tasks):
            if task is not current:
                task.cancel()

    def freeze(self, duration_s: float) -> None:
        """Stop it until it is woken."""
        if not self.is_frozen and not self.is_dead:
            self._awake.clear()
            self.loop.call_later(duration_s, self.wake)

    def wake(self) -> None:
        """Let it go on, not knowing that time has passed."""
        if self.is_frozen:
            self._awake.set()
            for listener in self.on_wake:
                listener()

    async def step(self, effect: str, after: bool = False) -> None:
        """Pass by one side of an effect."""
        if not after:
            self.check_alive()
            latency_s = self._watcher.latency_s(effect)
            if latency_s:
                await self.loop.pass_time(latency_s)
        await self.wait_awake()
        self._watcher.strike(self, effect, after)
        await self.wait_awake()

    async def wait_awake(self) -> None:
        """Wait while it is frozen; never return once it is dead."""
        while self.is_frozen:
            await self._awake.wait()
        self.check_alive()

    def check_alive(self) -> None:
        """Never return once it is dead."""
        if self.is_dead:
            raise Crash

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self.is_dead:
            self.loop.call_exception_handler(
                {"message": f"a task of {self.name} failed", "exception": error}
            )
