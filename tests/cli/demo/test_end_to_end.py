"""The demo for real: broker, worker and producer as processes, and nothing left of them."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_S = 280.0
"""Long enough for a first start, which compiles the model, on a busy machine."""

pytestmark = pytest.mark.timeout(TIMEOUT_S + 20)


@pytest.fixture
def start_demo(tmp_path):
    """Return a function that starts the demo in a folder of its own."""
    environment = os.environ | {"TMPDIR": str(tmp_path), "TERM": "xterm-256color"}
    environment |= {"COLUMNS": "80", "LINES": "24"}

    def start(*arguments: str, **options):
        command = [sys.executable, "-m", "stream_rec", "demo", "--time-limit", f"{TIMEOUT_S:g}"]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        return subprocess.Popen([*command, *arguments], env=environment, **options)

    return start


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of running processes that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in command:
            found.append(command)
    return found


def test_demo_answers_every_event_and_leaves_nothing(start_demo, tmp_path):
    out, err = start_demo("--events", "2000", "--rate", "1000").communicate(timeout=TIMEOUT_S)
    assert err == ""
    assert "2,000 film ratings in, 2,000 refreshed lists out" in out
    assert re.search(r"HR@10 +0\.\d{3} served lists, 0\.\d{3} plain popularity", out)
    assert "because you rated" in out
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_demo_draws_on_a_terminal(start_demo, tmp_path):
    ours, theirs = pty.openpty()
    demo = start_demo("--events", "200", "--rate", "200", stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen = bytearray()
    while chunk := _read_terminal(ours):
        screen += chunk
    os.close(ours)
    assert demo.wait(TIMEOUT_S) == 0
    text = screen.decode()
    assert "just rated, and recommended now" in text
    assert "200 film ratings in, 200 refreshed lists out" in text


def test_demo_that_runs_out_of_time_fails_and_leaves_nothing(start_demo, tmp_path):
    demo = start_demo("--time-limit", "1")
    out, err = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 1
    assert err.startswith("Error: expected to be done in 1 s, came to: starting the worker")
    assert "Traceback" not in out + err
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_nothing(start_demo, tmp_path, number):
    demo = start_demo()
    line = demo.stdout.readline()
    while "starting the worker" not in line:
        line = demo.stdout.readline()
    demo.send_signal(number)
    _, err = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 130
    assert err == ""
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def _read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux: the other end was closed
        return b""
