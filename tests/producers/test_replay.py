"""The replay program puts a log on Kafka, says what it did, and can be interrupted and resumed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from producers import replay
from stream_rec.data import SAMPLE_EVENTS
from stream_rec.logs import open_log
from tests.producers.conftest import ReadRecord

ReadTopic = Callable[[], list[ReadRecord]]


def sample_rows(n_rows: int) -> list[tuple[str, str]]:
    with open_log(SAMPLE_EVENTS) as log:
        return [(row.user, row.item) for row, _ in zip(log.rows(), range(n_rows), strict=False)]


def users_and_items(records: list[ReadRecord]) -> list[tuple[str, str]]:
    events = [msgspec.json.decode(record.value or b"") for record in records]
    return [(event["user"], event["item"]) for event in events]


def test_every_event_arrives_with_its_user_as_key(
    kafka_arguments: list[str], read_topic: ReadTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main([str(SAMPLE_EVENTS), "--limit", "2000", *kafka_arguments]) == 0
    records = read_topic()
    assert sorted(users_and_items(records)) == sorted(sample_rows(2000))
    for record in records:
        event = msgspec.json.decode(record.value or b"")
        assert (record.key or b"").decode() == event["user"]
        assert set(event) == {"user", "item", "type", "value", "ts"}
    summary = capsys.readouterr().out
    assert re.fullmatch(
        r"replayed 2,000 events in [\d.]+ s \([\d,]+ events/s\), 0 errors\n", summary
    )


def test_events_of_a_user_stay_in_order_on_one_partition(
    kafka_arguments: list[str], read_topic: ReadTopic
) -> None:
    assert replay.main([str(SAMPLE_EVENTS), "--limit", "3000", *kafka_arguments]) == 0
    items_sent: dict[str, list[str]] = defaultdict(list)
    for user, item in sample_rows(3000):
        items_sent[user].append(item)
    records = read_topic()
    items_read: dict[str, list[str]] = defaultdict(list)
    for user, item in users_and_items(records):
        items_read[user].append(item)
    assert items_read == items_sent
    assert len({(record.key, record.partition) for record in records}) == len(items_sent)


def test_kafka_timestamp_is_the_time_of_sending(
    kafka_arguments: list[str], read_topic: ReadTopic
) -> None:
    before_ms = time.time_ns() // 1_000_000
    assert replay.main([str(SAMPLE_EVENTS), "--limit", "10", *kafka_arguments]) == 0
    after_ms = time.time_ns() // 1_000_000
    assert all(before_ms <= record.timestamp_ms <= after_ms for record in read_topic())


def test_replay_goes_on_where_it_is_told_to(
    kafka_arguments: list[str], read_topic: ReadTopic
) -> None:
    log = [str(SAMPLE_EVENTS)]
    assert replay.main([*log, "--limit", "30", *kafka_arguments]) == 0
    assert replay.main([*log, "--from-offset", "30", "--limit", "70", *kafka_arguments]) == 0
    assert sorted(users_and_items(read_topic())) == sorted(sample_rows(100))


def test_rate_is_kept(kafka_arguments: list[str], read_topic: ReadTopic) -> None:
    started_s = time.monotonic()
    options = ["--limit", "200", "--rate", "400"]
    assert replay.main([str(SAMPLE_EVENTS), *options, *kafka_arguments]) == 0
    assert time.monotonic() - started_s >= 199 / 400
    assert len(read_topic()) == 200


def test_interrupted_replay_says_where_to_resume(
    kafka_arguments: list[str], read_topic: ReadTopic
) -> None:
    arguments = [str(SAMPLE_EVENTS), "--rate", "200", *kafka_arguments]
    program = subprocess.Popen(
        [sys.executable, "-m", "producers.replay", *arguments],
        cwd=Path(replay.__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline_s = time.monotonic() + 30
    while not read_topic():
        assert time.monotonic() < deadline_s
        assert program.poll() is None
    program.terminate()
    output, errors = program.communicate(timeout=30)
    resume_at = int(re.findall(r"resume with --from-offset (\d+)", errors)[0])
    assert program.returncode == 130
    assert f"replayed {resume_at:,} events" in output
    assert sorted(users_and_items(read_topic())) == sorted(sample_rows(resume_at))


def test_bad_row_stops_the_replay_with_its_place(
    tmp_path: Path,
    kafka_arguments: list[str],
    read_topic: ReadTopic,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,type\nann,tea,view\n,tea,view\nbob,milk,view\n")
    assert replay.main([str(path), *kafka_arguments]) == 1
    errors = capsys.readouterr().err
    assert f"{path}:3" in errors
    assert "resume with --from-offset 1" in errors
    assert users_and_items(read_topic()) == [("ann", "tea")]
    assert replay.main([str(path), "--skip-bad-rows", "--from-offset", "1", *kafka_arguments]) == 0
    assert "1 bad rows passed over" in capsys.readouterr().err
    assert sorted(users_and_items(read_topic())) == [("ann", "tea"), ("bob", "milk")]


def test_columns_types_and_units_can_be_told(
    tmp_path: Path, kafka_arguments: list[str], read_topic: ReadTopic
) -> None:
    path = tmp_path / "log.tsv"
    path.write_text("ann\ttea\tbuy\t1000\nann\tmilk\tlook\t2000\n")
    options = ["--header", "who,what,how,when", "--delimiter", "\\t", "--timestamps", "ms"]
    for field, column in {"user": "who", "item": "what", "type": "how", "ts": "when"}.items():
        options += [f"--{field}-column", column]
    options += ["--map-type", "buy=purchase", "--map-type", "look=view"]
    assert replay.main([str(path), *options, *kafka_arguments]) == 0
    assert [msgspec.json.decode(record.value or b"") for record in read_topic()] == [
        {"user": "ann", "item": "tea", "type": "purchase", "ts": 1.0},
        {"user": "ann", "item": "milk", "type": "view", "ts": 2.0},
    ]


def test_missing_log_is_one_line_and_status_1_before_kafka_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert replay.main(["nowhere.csv", "--broker", "localhost:9"]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("Error: expected a log to read at nowhere.csv")
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [["--set", "kafka.brokr=x"], ["--speed", "fast"], ["--map-type", "x"], ["--limit", "0"]],
)
def test_wrong_command_line_is_status_2(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main([str(SAMPLE_EVENTS), *wrong]) == 2
    assert "Error: " in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main(["--help"]) == 0
    assert "Examples:\n    replay ratings.csv --speed original\n" in capsys.readouterr().out
