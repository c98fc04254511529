"""What is measured runs in processes of its own, started afresh and always ended.

    with Contestant("worker", folder, run_worker, settings) as worker:
        ...
        worker.require_running()

Each is a function of this package in a new interpreter. What it prints goes to a log, whose end is
shown if it dies. Arguments travel through a pipe, secrets included, never through a command line.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from stream_rec.errors import StreamRecError

READY = ": ready: "
"""In the line that a worker prints when it serves its partitions."""
START_TIMEOUT_S = 300.0
POLL_INTERVAL_S = 0.02
STOP_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0
LOG_LINES_SHOWN = 15

SPAWN = multiprocessing.get_context("spawn")


class ContestantError(StreamRecError):
    """A measured process ended before its measurement."""


class Contestant:
    """A function in a process of its own, for as long as the context lasts.

    Parameters
    ----------
    name : str
        What people call it.
    folder : Path
        Takes its log.
    target : callable
        A function at the top of a module; an integer that it returns is the exit status.
    *arguments
        Its arguments.
    """

    def __init__(
        self, name: str, folder: Path, target: Callable[..., Any], *arguments: Any
    ) -> None:
        self.name = name
        self._log_path = folder / f"{name.replace(' ', '-')}.log"
        self._process = SPAWN.Process(
            target=_run, args=(self._log_path, target, *arguments), name=name, daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        self._counters = psutil.Process(self.pid)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process.pid is not None, "not entered"
        return self._process.pid

    def cpu_s(self) -> float:
        """Return the processor time that it has used so far, in all its threads, in seconds."""
        used = self._counters.cpu_times()
        return float(used.user + used.system)

    def log(self) -> str:
        """Return what it has printed so far."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    def require_running(self) -> None:
        """Raise `ContestantError` if it has ended."""
        if self._process.is_alive():
            return
        last_lines = "\n".join(f"  {line}" for line in self.log().splitlines()[-LOG_LINES_SHOWN:])
        raise ContestantError(
            f"expected the {self.name} to run, came exit status {self._process.exitcode}; "
            f"it said last:\n{last_lines}"
        )

    def wait_until_ready(self) -> None:
        """Wait until it says that it serves, as a worker does.

        Raises
        ------
        StreamRecError
            It ended, or took more than `START_TIMEOUT_S`.
        """
        self.wait_until(lambda: READY in self.log())

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for what is to happen once it serves; raises as `wait_until_ready` does."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not condition():
            self.require_running()
            if time.monotonic() > deadline_s:
                raise StreamRecError(f"expected the {self.name} to serve, came:\n{self.log()}")
            time.sleep(POLL_INTERVAL_S)

    def receive(self, pipe: Connection, timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
        """Receive what it sends next through a pipe; raises as `wait_until_ready` does."""
        deadline_s = time.monotonic() + timeout_s
        while not pipe.poll(POLL_INTERVAL_S):
            self.require_running()
            if time.monotonic() > deadline_s:
                raise StreamRecError(
                    f"expected the {self.name}'s answer within {timeout_s:g} s, came:\n{self.log()}"
                )
        return pipe.recv()

    def stop(self) -> None:
        """End it: ask, wait, insist."""
        self._process.terminate()
        self._process.join(STOP_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _run(log_path: Path, target: Callable[..., Any], *arguments: Any) -> None:
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    status = target(*arguments)
    sys.exit(status if isinstance(status, int) else 0)
