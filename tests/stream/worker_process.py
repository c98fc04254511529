"""A worker in a process of its own, for tests: started, waited for, stopped, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

REPOSITORY = Path(__file__).parents[2]
READY_TIMEOUT_S = 60.0
EXIT_TIMEOUT_S = 30.0


class WorkerProcess:
    """``python -m MODULE`` with settings from the environment.

    Parameters
    ----------
    settings : Mapping[str, object]
        By dotted key, as ``--set`` takes them.
    module : str
        What to run; by default the worker with the counting engine.
    """

    def __init__(
        self, settings: Mapping[str, object], module: str = "tests.stream.fake_worker"
    ) -> None:
        self._settings = settings
        self._module = module
        self._process: subprocess.Popen[str] | None = None
        self._ready = threading.Event()
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.is_running:
            self.kill()

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def start(self, extra_settings: Mapping[str, object] | None = None) -> Self:
        """Start, or start again, without waiting; ``extra_settings`` are for this time only."""
        self._ready.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            cwd=REPOSITORY,
            env=os.environ | _environment({**self._settings, **(extra_settings or {})}),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        return self

    def wait_until_ready(self) -> Self:
        """Wait for the line that says which partitions are being served."""
        assert self._ready.wait(READY_TIMEOUT_S), self.log
        return self

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """Wait for its end and return the exit status."""
        status = self.process.wait(EXIT_TIMEOUT_S)
        self._reader.join()
        return status

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line.rstrip())
                if ": ready: " in line:
                    self._ready.set()
        self._ready.set()


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    return {
        f"STREAM_REC_{key.replace('.', '__').upper()}": str(value)
        for key, value in settings.items()
    }
