"""``stream-rec bench http``: what it needs, what it prints, and a run of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from stream_rec.bench.histogram import histogram_of
from stream_rec.bench.http import HttpFigures, Latencies, result_of
from stream_rec.bench.wrk import parse_output, require_wrk
from stream_rec.cli.main import cli
from stream_rec.errors import ConfigError, StreamRecError

RUN = ("--rate", "20", "--events-rate", "50", "--history", "500", "--seconds", "0.5")
ASKED_FOR = {"requests_per_s", "ratio_bare", "p90_ms", "p99_ms", "post_to_list_p50_ms"}

WRK_OUTPUT = """\
Running 1s test @ http://127.0.0.1:8000
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.21ms    1.11ms  20.98ms   86.00%
    Req/Sec     9.99k   812.00    11.00k    70.00%
  9983 requests in 1.00s, 2.00MB read
Requests/sec:   9876.54
Transfer/sec:      1.98MB
"""


def test_the_rate_is_read_from_what_wrk_prints() -> None:
    assert parse_output(WRK_OUTPUT) == 9876.54


@pytest.mark.parametrize(
    "trouble",
    ["Non-2xx or 3xx responses: 3", "Socket errors: connect 0, read 1, write 0, timeout 0"],
)
def test_a_rate_with_failed_requests_is_none(trouble: str) -> None:
    with pytest.raises(StreamRecError, match=trouble):
        parse_output(WRK_OUTPUT.replace("Requests/sec", f"  {trouble}\nRequests/sec"))


def test_without_wrk_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt install wrk"):
        require_wrk()


def test_the_ratio_is_that_of_the_median_round() -> None:
    latencies = Latencies(histogram_of(np.array([0.001, 0.002, 0.004])), 1, 0.5)
    figures = HttpFigures([100.0, 300.0, 200.0], [400.0, 200.0, 200.0], latencies, latencies, 9.0)
    assert figures.ratio_bare == 1.0
    result = result_of(figures)
    assert all(len(row) == len(result.columns) for row in result.rows)
    assert isinstance(result.figures, dict)
    assert result.figures["requests_per_s"] == 200
    assert result.figures["failed"] == 2
    assert result.figures["p50_ms"] == pytest.approx(2.0, rel=0.002)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs the program wrk")
@pytest.mark.timeout(600)  # it may have to compile the kernels
def test_a_run_on_the_embedded_broker_answers_everything() -> None:
    ran = CliRunner().invoke(cli, ["bench", "http", *RUN, "--json", "-"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert set(figures) >= ASKED_FOR
    assert figures["failed"] == 0
    assert all(figures[name] > 0 for name in ASKED_FOR)
