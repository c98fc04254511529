"""Run ``stream-rec evaluate`` in process, with the error handling of the whole command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from stream_rec.cli.evaluate import evaluate
from stream_rec.cli.main import cli


@pytest.fixture
def run_evaluate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.delenv("STREAM_REC_CONFIG", raising=False)
    monkeypatch.setitem(cli.commands, "evaluate", evaluate)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["evaluate", *arguments], prog_name="stream-rec")

    return run
