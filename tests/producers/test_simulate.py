"""The simulate program sends, or writes, exactly what the pure simulation makes."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from producers import simulate
from producers.simulation import SimulationSettings
from producers.simulation import simulate as simulated_records
from producers.sinks import CODE_HEADER, EVENT_ID_HEADER, LABEL_HEADER
from tests.producers.conftest import ReadRecord

ARGUMENTS = ["--events", "3000", "--seed", "4", "--malformed", "0.05", "--duplicates", "0.05"]
SETTINGS = SimulationSettings(n_events=3000, seed=4, malformed_rate=0.05, duplicate_rate=0.05)


def test_records_arrive_byte_for_byte_with_their_labels(
    kafka_arguments: list[str],
    read_topic: Callable[[], list[ReadRecord]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert simulate.main([*ARGUMENTS, *kafka_arguments]) == 0
    sent_by_key: dict[bytes | None, list[tuple[bytes | None, str, str, str]]] = defaultdict(list)
    for made in simulated_records(SETTINGS):
        sent_by_key[made.key].append((made.value, made.label, made.code, made.event_id))
    read_by_key: dict[bytes | None, list[tuple[bytes | None, str, str, str]]] = defaultdict(list)
    for record in read_topic():
        names = (LABEL_HEADER, CODE_HEADER, EVENT_ID_HEADER)
        labels = [record.headers[name].decode() for name in names]
        read_by_key[record.key].append((record.value, labels[0], labels[1], labels[2]))
    assert read_by_key == sent_by_key
    assert re.match(r"sent 3,000 events in [\d.]+ s \(.*\), 0 errors", capsys.readouterr().out)


def test_file_holds_one_line_for_each_record_and_labels_beside(tmp_path: Path) -> None:
    out, labels = tmp_path / "events.jsonl", tmp_path / "labels.csv"
    assert simulate.main([*ARGUMENTS, "--out", str(out), "--labels", str(labels)]) == 0
    records = list(simulated_records(SETTINGS))
    lines = out.read_bytes().split(b"\n")
    assert lines == [b"null" if r.value is None else r.value for r in records] + [b""]
    with labels.open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [(int(row["position"]), row["label"], row["code"], row["event_id"]) for row in rows] == [
        (n, record.label, record.code, record.event_id) for n, record in enumerate(records)
    ]


def test_standard_output_carries_nothing_but_events(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert simulate.main(["--events", "5", "--out", "-"]) == 0
    output, errors = capfdbinary.readouterr()
    expected = [record.value for record in simulated_records(SimulationSettings(n_events=5))]
    assert output.splitlines() == expected
    assert b"wrote 5 events" in errors


def test_start_moves_event_time(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    arguments = ["--events", "1", "--start", "2024-05-01T12:00:00Z", "--out", str(out)]
    assert simulate.main(arguments) == 0
    moved = SimulationSettings(n_events=1, start_ms=1_714_564_800_000)
    assert out.read_bytes().rstrip() == next(simulated_records(moved)).value


def test_output_that_cannot_be_written_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--out", "/nowhere/events.jsonl"]) == 1
    assert "expected a file to write at /nowhere/events.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--malformed", "2"], ["--malformed", "0.9", "--late", "0.9"], ["--start", "soon"]]
)
def test_wrong_command_line_is_status_2(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate.main(wrong) == 2
    assert "Error: " in capsys.readouterr().err
