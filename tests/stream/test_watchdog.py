"""Work that stands still ends the worker; idleness, slowness and markers do not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from stream_rec.stream.watchdog import StalledError, watch_progress

TIMEOUT_S = 80.0
PROGRAM = """
import asyncio, time
from stream_rec.stream.watchdog import beat_for_event_loop

async def main():
    beating = asyncio.create_task(beat_for_event_loop({timeout_s}))
    await asyncio.sleep(0)
    time.sleep({hung_s})
    beating.cancel()

asyncio.run(main())
print("ended in order")
"""


class EnoughLooksError(Exception):
    """Enough looks were taken."""


class Work:
    """Progress and pending work as functions of the number of looks taken."""

    def __init__(
        self, progress: Callable[[int], object], pending: Callable[[int], str | None]
    ) -> None:
        self._progress = progress
        self._pending = pending
        self.now_s = 0.0
        self.n_looks = 0

    def progress(self) -> object:
        return self._progress(self.n_looks)

    async def pending(self) -> str | None:
        return self._pending(self.n_looks)

    async def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s
        self.n_looks += 1
        if self.n_looks > 100:
            raise EnoughLooksError


async def run(work: Work) -> None:
    await watch_progress(work, TIMEOUT_S, lambda: work.now_s, work.sleep)


async def test_standing_still_with_work_is_an_error_after_the_timeout() -> None:
    work = Work(lambda _: "same", lambda _: "partition 3 has a lag of 7")
    with pytest.raises(StalledError, match="partition 3 has a lag of 7"):
        await run(work)
    assert TIMEOUT_S <= work.now_s <= 1.25 * TIMEOUT_S


async def test_slow_progress_is_progress() -> None:
    work = Work(lambda look: look // 7, lambda _: "lag")
    with pytest.raises(EnoughLooksError):
        await run(work)


async def test_idle_worker_is_left_alone_and_given_the_whole_time_when_work_comes() -> None:
    work = Work(lambda _: "same", lambda look: "lag" if look > 50 else None)
    with pytest.raises(StalledError):
        await run(work)
    assert work.n_looks > 50 + 6


@pytest.mark.parametrize(("timeout_s", "hung_s", "ends"), [(0.2, 60.0, False), (60.0, 0.0, True)])
def test_process_whose_event_loop_hangs_ends_with_its_stack(
    timeout_s: float, hung_s: float, ends: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(timeout_s=timeout_s, hung_s=hung_s)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("ended in order" in done.stdout) == ends
    assert done.returncode == (0 if ends else 1)
    assert ("in main" in done.stderr) != ends
