"""Laws of the child processes: they end, always, and a bad end is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream_rec.cli.demo import processes
from stream_rec.cli.demo.processes import ChildProcess, ProcessDiedError

WAIT_FOR_INPUT = "import sys; print('up', flush=True); sys.stdin.read()"
IGNORE_TERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT_FOR_INPUT


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def child(tmp_path, code):
    return ChildProcess("worker", ["-c", code], tmp_path / "log")


def wait_until_up(process):
    while "up" not in process.log():
        process.require_running()


@pytest.mark.parametrize("code", [WAIT_FOR_INPUT, IGNORE_TERM])
def test_process_ends_with_its_context(tmp_path, monkeypatch, code):
    monkeypatch.setattr(processes, "STOP_TIMEOUT_S", 0.2)
    with child(tmp_path, code) as process:
        wait_until_up(process)
        pid = process.pid
    assert not is_alive(pid)


def test_process_ends_when_the_context_fails(tmp_path):
    pids = []

    def fail_inside():
        with child(tmp_path, WAIT_FOR_INPUT) as process:
            pids.append(process.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_inside()
    assert not is_alive(pids[0])


def test_finished_process_is_told_from_a_running_one(tmp_path):
    with child(tmp_path, "input()") as process:
        assert not process.has_finished()
        process.require_running()
    with child(tmp_path, "") as process:
        process._process.wait()
        assert process.has_finished()
        with pytest.raises(ProcessDiedError, match="came exit status 0"):
            process.require_running()


def test_failure_tells_status_and_last_words(tmp_path):
    with child(tmp_path, "print('disk is full'); raise SystemExit(3)") as process:
        process._process.wait()
        with pytest.raises(ProcessDiedError) as error:
            process.has_finished()
    message = str(error.value)
    assert message.startswith("expected the worker to run, came exit status 3; it said last:\n")
    assert message.endswith("  disk is full")


def test_finish_demands_a_good_end(tmp_path):
    graceful = "import signal, sys; signal.signal(15, lambda *_: sys.exit(0)); " + WAIT_FOR_INPUT
    with child(tmp_path, graceful) as process:
        wait_until_up(process)
        process.finish()
    with child(tmp_path, WAIT_FOR_INPUT) as process:
        wait_until_up(process)
        with pytest.raises(ProcessDiedError, match="signal 15"):
            process.finish()


def test_process_that_ends_with_its_input_does_not_outlive_a_killed_parent(tmp_path):
    parent_code = f"""
import os, pathlib
from stream_rec.cli.demo.processes import ChildProcess
log_path = pathlib.Path({str(tmp_path / "log")!r})
with ChildProcess("worker", ["-c", {WAIT_FOR_INPUT!r}], log_path) as process:
    print(process.pid, flush=True)
    os.kill(os.getpid(), 9)
"""
    root = Path(__file__).parents[3]
    parent = subprocess.run(
        [sys.executable, "-c", parent_code], capture_output=True, text=True, cwd=root, timeout=60
    )
    assert parent.returncode == -9
    child_pid = int(parent.stdout)
    while is_alive(child_pid):
        os.sched_yield()
