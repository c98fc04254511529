"""Laws of the command line as a whole: help, exit statuses, errors."""

import os
import subprocess
import sys

import click
import pytest

from stream_rec.cli.main import cli
from stream_rec.errors import StateError

COMMANDS = ["demo", "evaluate", "worker", "replay", "simulate", "tail", "topics", "config"]
COMMANDS += ["bench", "compile", "completion", "state", "forget", "serve", "keys", "status"]


def run_process(*arguments: str, **options):
    command = [sys.executable, "-m", "stream_rec", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_help_names_every_command(stream_rec):
    result = stream_rec("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.output
    assert set(cli.commands) == set(COMMANDS)


@pytest.mark.parametrize(
    "command",
    [*COMMANDS, "topics create", "config show", "bench pipeline", "state export", "keys new"],
)
def test_help_of_every_command_has_an_example(stream_rec, command):
    result = stream_rec(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"Usage: stream-rec {command} " in result.output
    if command not in ("topics", "config", "bench", "state", "keys"):
        assert "Example" in result.output


def test_help_imports_nothing_heavy():
    heavy = "numba", "numpy", "faust", "pydantic", "confluent_kafka", "kafka", "rich"
    code = f"import sys, stream_rec.cli.main; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_version_is_the_packages(stream_rec, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", {"stream-rec": "1.2.3"}.__getitem__)
    assert stream_rec("--version").output == "stream-rec 1.2.3\n"


def test_wrong_command_line_exits_with_2(stream_rec):
    assert stream_rec("no-such-command").exit_code == 2
    assert stream_rec("tail", "--limit", "0").exit_code == 2
    result = stream_rec("--set", "kafka.broker", "config", "show")
    assert result.exit_code == 2
    assert "expected SECTION.KEY=VALUE, came 'kafka.broker'" in result.output


def test_wrong_configuration_exits_with_2_and_no_traceback(stream_rec):
    result = stream_rec("config", "check", "--set", "kafka.brokr=a:1")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: kafka.brokr is not a setting, in an override (--set); did you mean kafka.broker?\n"
    )


def test_worker_refuses_what_is_no_time_before_it_asks_kafka(stream_rec, monkeypatch):
    monkeypatch.setattr("stream_rec.stream.worker.run_worker", lambda settings: 7)
    result = stream_rec("worker", "--rebuild-from", "yesterday")
    assert result.exit_code == 2
    assert "worker.rebuild_from expects earliest or a time, came 'yesterday'" in result.stderr
    for text in ("earliest", "1700000000.5", "2024-05-01T12:00:00Z"):
        assert stream_rec("worker", "--rebuild-from", text).exit_code == 7


def test_debug_shows_the_traceback(stream_rec):
    result = stream_rec("--debug", "config", "check", "--set", "kafka.brokr=a:1")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "did you mean kafka.broker?" in result.stderr


@pytest.mark.parametrize(
    ("error", "status"),
    [(StateError("the state is from the future"), 1), (KeyboardInterrupt(), 130)],
)
def test_exit_status_tells_what_ended_a_command(stream_rec, monkeypatch, error, status):
    @click.command()
    def fail() -> None:
        raise error

    monkeypatch.setitem(cli.commands, "fail", fail)
    result = stream_rec("fail")
    assert result.exit_code == status
    assert result.stdout == ""
    assert result.stderr == ("" if status == 130 else "Error: the state is from the future\n")


def test_mistake_in_the_program_is_not_hidden(stream_rec, monkeypatch):
    @click.command()
    def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setitem(cli.commands, "fail", fail)
    assert isinstance(stream_rec("fail").exception, KeyError)


def test_reader_that_goes_away_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "stream_rec", "config", "show"]
    with os.fdopen(write_end, "wb") as closed_pipe:
        result = subprocess.run(command, stdout=closed_pipe, stderr=subprocess.PIPE, timeout=60)
    assert result.returncode == 141
    assert result.stderr == b""


def test_module_is_the_same_command_line():
    result = run_process("config", "show", "--set", "app_id=films")
    assert result.returncode == 0
    assert result.stdout.startswith("app_id ")
    assert '= "films"' in result.stdout


def test_no_broker_is_one_clear_message():
    result = run_process("tail", "--set", "kafka.broker=127.0.0.1:1")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: expected a Kafka broker at 127.0.0.1:1 (kafka.broker)")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_program(stream_rec, shell):
    result = stream_rec("completion", shell)
    assert result.exit_code == 0
    assert "_STREAM_REC_COMPLETE" in result.output
    assert "stream-rec" in result.output


def test_completion_completes_commands():
    environment = os.environ | {
        "_STREAM_REC_COMPLETE": "bash_complete",
        "COMP_WORDS": "stream-rec to",
        "COMP_CWORD": "1",
    }
    result = run_process(env=environment)
    assert result.stdout == "plain,topics\n"
