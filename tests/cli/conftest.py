"""Run the command line in process."""

import pytest
from click.testing import CliRunner

from stream_rec.cli.main import cli


@pytest.fixture
def stream_rec(monkeypatch):
    """Return a function that runs ``stream-rec`` with arguments and returns click's result."""
    monkeypatch.delenv("STREAM_REC_CONFIG", raising=False)

    def run(*arguments: str):
        return CliRunner().invoke(cli, list(arguments), prog_name="stream-rec")

    return run
