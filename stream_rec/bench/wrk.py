"""How many requests a second a server answers, by wrk (https://github.com/wg/wrk)."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from stream_rec.errors import ConfigError, StreamRecError

THREADS = 1
CONNECTIONS = 32
ANSWER_TIMEOUT_S = 10
TIMEOUT_S = 60.0
RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
TROUBLE = re.compile(r"^\s*(Socket errors:.*|Non-2xx.*)$", re.MULTILINE)
SCRIPT = """\
local requests = {}
local last = 0
init = function()
  for number, path in ipairs(paths) do requests[number] = wrk.format("GET", path) end
end
request = function()
  last = last % #requests + 1
  return requests[last]
end
"""


def require_wrk() -> None:
    """Raise `ConfigError` if wrk is not installed."""
    if shutil.which("wrk") is None:
        raise ConfigError(
            "expected the program wrk on the PATH, came none; install it with `apt install wrk`, "
            "`brew install wrk`, or from https://github.com/wg/wrk"
        )


def requests_per_s(url: str, paths: Sequence[str], seconds: float, folder: Path) -> float:
    """Ask for paths in turn, as fast as they are answered.

    Parameters
    ----------
    url : str
        Of the server, without a path.
    paths : sequence of str
        Of letters, digits and ``/?=&``.
    seconds : float
        Rounded to whole ones: wrk knows no others.
    folder : Path
        Takes wrk's script.

    Raises
    ------
    StreamRecError
        Some requests failed.
    """
    listed = ", ".join(f'"{path}"' for path in paths)
    script = folder / "wrk.lua"
    script.write_text(f"local paths = {{{listed}}}\n{SCRIPT}")
    shape = [f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    shape += ["--timeout", f"{ANSWER_TIMEOUT_S}s"]
    ran = subprocess.run(
        ["wrk", *shape, "--script", str(script), url],
        capture_output=True,
        text=True,
        timeout=seconds + TIMEOUT_S,
    )
    return parse_output(ran.stdout, ran.stderr)


def parse_output(output: str, errors: str = "") -> float:
    """Return the rate that wrk tells of.

    Raises
    ------
    StreamRecError
        It tells of failed requests, or of no rate.
    """
    rate, trouble = RATE.search(output), TROUBLE.search(output)
    if rate is None or trouble is not None:
        raise StreamRecError(
            "expected wrk to tell of requests/s and of no errors, came "
            f"{trouble[1] if trouble else (errors or output).strip()!r}"
        )
    return float(rate[1])
