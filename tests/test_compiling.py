"""Two processes compile where one would take twice as long; none is needed where all is on disk."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stream_rec import compiling
from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.fold import fold_batch
from stream_rec.model.warm_up import is_compiled, warm_up

FAILING = (sys.executable, "-c", "raise SystemExit(1)")
ENDLESS = (sys.executable, "-c", "print(); import threading; threading.Event().wait()")
Command = tuple[str, ...]


@pytest.fixture(autouse=True)
def _compiled() -> None:
    warm_up(ModelSettings(), EventSettings())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """Return the processes that are started."""
    processes: list[subprocess.Popen] = []

    class Noted(subprocess.Popen):
        def __init__(self, command: Command, **options: object) -> None:
            super().__init__(command, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return processes


def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_compiled", lambda: False)


def test_nothing_is_started_where_kernels_are_on_disk(started: list[subprocess.Popen]) -> None:
    assert is_compiled()
    with compiling.shared_compiling():
        pass
    assert not started


def test_nothing_is_started_on_one_processor(
    started: list[subprocess.Popen], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch)
    monkeypatch.setattr(compiling, "PROCESSORS_MIN", 1_000_000)
    with compiling.shared_compiling():
        pass
    assert not started


def test_helper_says_when_the_ranking_is_compiled_and_ends() -> None:
    helper = subprocess.run(compiling.COMMAND, capture_output=True, text=True, check=True)
    assert helper.stdout == "the ranking is compiled\n"
    assert helper.stderr == ""


@pytest.mark.parametrize("command", [compiling.COMMAND, FAILING])
def test_compiling_goes_on_whatever_becomes_of_the_helper(
    command: Command, started: list[subprocess.Popen], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch)
    monkeypatch.setattr(compiling, "COMMAND", command)
    with compiling.shared_compiling():
        warm_up(ModelSettings(), EventSettings())
    assert [process.args for process in started] == [command]
    assert started[0].returncode is not None


def test_nothing_is_left_behind_where_compiling_fails(
    started: list[subprocess.Popen], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch)
    monkeypatch.setattr(compiling, "COMMAND", ENDLESS)
    with pytest.raises(KeyboardInterrupt), compiling.shared_compiling():
        raise KeyboardInterrupt
    assert started[0].poll() is not None


@pytest.mark.parametrize("executable", ["/no/such/program", "", None])
def test_compiling_goes_on_where_no_process_can_be_started(
    executable: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch)
    monkeypatch.setattr(compiling, "COMMAND", (executable, *compiling.COMMAND[1:]))
    with compiling.shared_compiling():
        warm_up(ModelSettings(), EventSettings())
    assert is_compiled()


def test_kernels_for_another_processor_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    codegen = type(fold_batch.targetctx.codegen())
    monkeypatch.setattr(codegen, "magic_tuple", lambda self: ("another", "processor", ""))
    assert not is_compiled()
