"""Runs every bench for a few seconds, and compares its ratios with those recorded last.

    python -m benchmarks.check              compare with the last line of history.jsonl
    python -m benchmarks.check --record     append to it what came
    python -m benchmarks.check --kafka      the benches that need a real Kafka, too (Java, Maven)

Only ratios to a peer of the same run are compared: absolute times are those of a machine and an
hour. Runs this short are noisy, so a ratio counts as fallen only below `SHARE_MIN` of the last, and
in two runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.kafka.local_broker import LocalCluster

HISTORY = Path(__file__).with_name("history.jsonl")
SHARE_MIN = 1 / 3
TIMEOUT_S = 600.0

Figures = Any
"""What a bench writes with --json."""


class Case(NamedTuple):
    """A bench in short: its arguments, and its ratios, each the larger the better."""

    name: str
    arguments: Sequence[str]
    ratios: Mapping[str, Callable[[Figures], float]]
    needs_kafka: bool = False


CASES = (
    Case(
        "engine",
        ("--events", "3000", "--peer-seconds", "1"),
        {
            "river / engine": lambda f: f["ratio_river"],
            "numpy scan / engine": lambda f: f["brute_force_us"] / f["us_per_event"],
        },
    ),
    Case(
        "scale",
        ("--size", "1000", "--size", "20000", "--events", "2000"),
        {"1,000 / 20,000 items": lambda f: f["us_per_event"]["1000"] / f["us_per_event"]["20000"]},
    ),
    Case(
        "pipeline",
        ("--events", "20000", "--seconds", "3"),
        {
            "worker / Faust forwarder": lambda f: f["ratio_faust_forwarder"],
            "worker / confluent loop": lambda f: f["ratio_confluent_loop"],
        },
    ),
    Case(
        "latency",
        ("--rate", "100", "--history", "2000", "--seconds", "3"),
        {"round trip / latency, p50": lambda f: _only(f)["round_trip_p50_ms"] / _only(f)["p50_ms"]},
    ),
    Case("hostile", ("--events", "2000"), {}),
    Case("restore", ("--items", "2000", "--users", "8000"), {}, needs_kafka=True),
)


def _only(figures: Figures) -> Mapping[str, float]:
    """Return the figures of the one rate that was measured."""
    return figures[0] if isinstance(figures, list) else figures


def run(case: Case, broker: str | None) -> Figures:
    """Run a bench and return its figures.

    Raises
    ------
    SystemExit
        It failed; its output has been printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "figures.json")
        command = [sys.executable, "-m", "stream_rec", "bench", case.name, *case.arguments]
        command += ["--json", str(path)]
        if case.needs_kafka and broker is not None:
            command += ["--broker", broker]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        if done.returncode != 0:
            sys.exit(f"bench {case.name} ended with status {done.returncode}:\n{done.stderr}")
        return json.loads(path.read_text())


def measure(broker: str | None, last: Mapping[str, float]) -> dict[str, float]:
    """Run all benches that can run here, tell how each went, and return their ratios by name."""
    ratios: dict[str, float] = {}
    for case in CASES:
        if case.needs_kafka and broker is None:
            print(f"{case.name}: left out, it needs --kafka", flush=True)
            continue
        started_s = time.monotonic()
        found = ratios_of(case, broker)
        if any(fallen(found, last)):
            again = ratios_of(case, broker)
            found = {name: max(ratio, again[name]) for name, ratio in found.items()}
        ratios |= found
        print(f"{case.name}: ran in {time.monotonic() - started_s:.0f} s", flush=True)
    return ratios


def ratios_of(case: Case, broker: str | None) -> dict[str, float]:
    """Run a bench and return its ratios by name."""
    figures = run(case, broker)
    return {f"{case.name}: {what}": round(of(figures), 4) for what, of in case.ratios.items()}


def fallen(ratios: Mapping[str, float], last: Mapping[str, float]) -> Iterator[str]:
    """Say which ratios are far below those recorded last; one that was not recorded passes.

    Examples
    --------
    >>> list(fallen({"a": 0.3, "b": 2.0}, {"a": 1.0}))
    ['a: expected at least 0.333, a third of the 1 recorded last, came 0.3']
    """
    for name, ratio in ratios.items():
        if name in last and ratio < SHARE_MIN * last[name]:
            yield (
                f"{name}: expected at least {SHARE_MIN * last[name]:.3g}, a third of the "
                f"{last[name]:.3g} recorded last, came {ratio:.3g}"
            )


def last_recorded() -> Mapping[str, float]:
    """Return the ratios of the last line of the history, none if there is no line."""
    lines = HISTORY.read_text().splitlines() if HISTORY.exists() else []
    return json.loads(lines[-1])["ratios"] if lines else {}


def record(ratios: Mapping[str, float]) -> None:
    """Append a line to the history: when, on what kind of machine, and the ratios."""
    line = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{os.cpu_count()} × {platform.machine()}, {_processor()}",
        "python": platform.python_version(),
        "ratios": dict(ratios),
    }
    with HISTORY.open("a") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _processor() -> str:
    """Return the processor's name where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else "unknown"


def main() -> int:
    """Measure, print, compare or record; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="append to history.jsonl")
    parser.add_argument("--kafka", action="store_true", help="start a real Kafka for some of them")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(LocalCluster()).bootstrap if arguments.kafka else None
        last = last_recorded()
        ratios = measure(broker, last)
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.3g}" + (f" (last {last[name]:.3g})" if name in last else ""))
    if arguments.record:
        record(ratios)
        return 0
    wrong = list(fallen(ratios, last))
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
