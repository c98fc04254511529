"""The demo's child processes: started with a log of their own, always ended, by their id.

Each is in a session of its own, so that Ctrl-C reaches only the demo, which then ends them in the
right order: first the producer, then the worker, last the broker.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stream_rec.errors import StreamRecError

STOP_TIMEOUT_S = 8.0
LOG_LINES_SHOWN = 15


class ProcessDiedError(StreamRecError):
    """A process of the demo ended when it should not have, or with a failure."""


class ChildProcess:
    """A Python program of ours that lives as long as the context.

    Parameters
    ----------
    name : str
        What people call it.
    arguments : sequence of str
        Behind ``python``.
    log_path : Path
        Takes what it prints. Temporary files go beside it: they end with its folder, even if the
        program is killed.

    Notes
    -----
    Its standard input stays open as long as this process lives; a program that ends with its input
    therefore does not outlive this one, even if this one is killed.
    """

    def __init__(self, name: str, arguments: Sequence[str], log_path: Path) -> None:
        self.name = name
        self._arguments = [sys.executable, *arguments]
        self._log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"TMPDIR": str(self._log_path.parent)},
            )
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
        return self._started().pid

    def log(self) -> str:
        """Return what it has printed so far."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def has_finished(self) -> bool:
        """Tell whether it has ended well.

        Raises
        ------
        ProcessDiedError
            It ended with another status than 0.
        """
        status = self._started().poll()
        if status is None:
            return False
        if status != 0:
            raise ProcessDiedError(self._describe_end(status))
        return True

    def require_running(self) -> None:
        """Raise `ProcessDiedError` if it has ended, well or not."""
        status = self._started().poll()
        if status is not None:
            raise ProcessDiedError(self._describe_end(status))

    def finish(self) -> None:
        """Ask it to end; raise `ProcessDiedError` if it ends with another status than 0."""
        self.stop()
        self.has_finished()

    def stop(self) -> None:
        """End it: ask, wait, insist; insist at once when the waiting is interrupted."""
        process = self._started()
        assert process.stdin is not None
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdin.close()

    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not entered"
        return self._process

    def _describe_end(self, status: int) -> str:
        last_lines = "\n".join(f"  {line}" for line in self.log().splitlines()[-LOG_LINES_SHOWN:])
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return f"expected the {self.name} to run, came {how}; it said last:\n{last_lines}"
