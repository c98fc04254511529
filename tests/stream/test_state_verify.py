"""`state verify` finds what is wrong with a store, and `state inspect` tells what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from stream_rec.cli.main import cli
from stream_rec.config import EventSettings, ModelSettings
from stream_rec.errors import StateError
from stream_rec.model.engine import Engine
from stream_rec.model.ids import hash_id
from stream_rec.model.rows import ITEM, PROFILE, row_key
from stream_rec.model.runs import Run
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import (
    ITEMS,
    POSITION_KEY,
    PROFILES,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.state.inspect import inspect_item, inspect_user
from stream_rec.stream.state.verify import StoreReport, verify
from stream_rec.stream.stores import Stores
from tests.model.logs import made_up_events, records_of

N_EVENTS = 120
MODEL = ModelSettings()
PARTITION = 3


class FakeOffsets(NamedTuple):
    """Ends of Kafka's topics."""

    changelogs: int = 500
    events: int = N_EVENTS
    committed_offset: int = N_EVENTS

    def changelog_end(self, table: str, partition: int) -> int:
        return self.changelogs

    def events_range(self, partition: int) -> tuple[int, int]:
        return 0, self.events

    def committed(self, partition: int) -> int:
        return self.committed_offset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder of the application ``films`` after a few events, of one partition."""
    engine = Engine(MODEL, EventSettings(), source_topic="events", n_partitions=8)
    engine.open_partition(PARTITION)
    engine.process([Run(PARTITION, records_of(made_up_events(N_EVENTS, rated_share=0.5)))], 7)
    frozen = engine.freeze(PARTITION)
    reserved = [
        (POSITION_KEY, Position(499, 1).encode()),
        (WATERMARK_KEY, Watermark(N_EVENTS - 1, 8).encode()),
    ]
    stores = Stores(tmp_path / "films", WorkerSettings())
    for table, rows in ((ITEMS, frozen.items), (PROFILES, frozen.profiles)):
        stores.open(table, PARTITION)
        stores.write(table, PARTITION, [*rows, *reserved])
    stores.close_except()
    return tmp_path / "films"


@pytest.fixture
def stores(folder: Path) -> Iterator[Stores]:
    """The same stores, opened to be damaged."""
    opened = Stores(folder, WorkerSettings())
    for table in (ITEMS, PROFILES):
        opened.open(table, PARTITION)
    yield opened
    opened.close_except()


def problems(reports: list[StoreReport]) -> list[str]:
    return [problem for report in reports for problem in report.problems]


def test_sound_state_has_no_problems(folder: Path) -> None:
    items, profiles = verify(folder, MODEL, FakeOffsets())
    assert problems([items, profiles]) == []
    events = made_up_events(N_EVENTS, rated_share=0.5)
    n_items, n_users = (len({getattr(e, field) for e in events}) for field in ("item", "user"))
    assert items.rows == {"items": n_items, "ids": n_items, "weights": 1}
    assert profiles.rows == {"profiles": n_users}
    assert (items.changelog_behind, items.events_behind) == (0, 0)


def test_damaged_row_is_named(folder: Path, stores: Stores) -> None:
    key = row_key(PROFILE, hash_id("u1"))
    row = stores.read(PROFILES, PARTITION, [key])[0]
    assert row is not None
    stores.write(PROFILES, PARTITION, [(key, row[:-1])])
    (problem,) = problems(verify(folder, MODEL, None))
    assert key.hex() in problem


def test_row_of_a_newer_format_is_named(folder: Path, stores: Stores) -> None:
    key = row_key(ITEM, hash_id("i1"))
    row = stores.read(ITEMS, PARTITION, [key])[0]
    assert row is not None
    stores.write(ITEMS, PARTITION, [(key, b"\x63\0" + row[2:])])
    (problem,) = problems(verify(folder, MODEL, None))
    assert "row format 99 is newer" in problem


def test_damaged_block_is_found(folder: Path) -> None:
    for file in (folder / f"items-{PARTITION:05d}").glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[200:210] = bytes(10)
        file.write_bytes(content)
    assert any("orruption" in problem for problem in problems(verify(folder, MODEL, None)))


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        (FakeOffsets(changelogs=300), "the changelog was re-created"),
        (FakeOffsets(events=10), "the events topic was re-created"),
        (FakeOffsets(committed_offset=N_EVENTS + 1), "something else commits"),
    ],
)
def test_state_that_contradicts_kafka_is_found(
    folder: Path, offsets: FakeOffsets, expected: str
) -> None:
    found = problems(verify(folder, MODEL, offsets))
    assert found
    assert all(expected in problem for problem in found)


def test_configuration_that_does_not_fit_is_found(folder: Path) -> None:
    assert problems(verify(folder, ModelSettings(n_factors=8), None))


def test_user_is_readable(folder: Path) -> None:
    events = [event for event in made_up_events(N_EVENTS, rated_share=0.5) if event.user == "u1"]
    found = inspect_user(folder, "u1")
    assert found["partition"] == PARTITION
    assert found["last_event_s"] == events[-1].ts
    assert {entry["item"] for entry in found["history"]} <= {event.item for event in events}
    assert set(found["seen"]) == {event.item for event in events}


def test_item_is_readable(folder: Path) -> None:
    events = [event for event in made_up_events(N_EVENTS, rated_share=0.5) if event.item == "i1"]
    found = inspect_item(folder, "i1", MODEL.half_lives_s)
    assert found["taken"] == sum(event.type != "dislike" for event in events)
    (part,) = found["partitions"]
    assert part["first_event_s"] == events[0].ts
    assert all(link["item"].startswith("i") for link in part["links"])


def test_unknown_user_is_an_error(folder: Path) -> None:
    with pytest.raises(StateError, match="unknown or forgotten"):
        inspect_user(folder, "nobody")


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    settings = ["--set", f"worker.state_dir={folder.parent}", "--set", f"app_id={folder.name}"]
    result = CliRunner().invoke(cli, [*settings, "state", *arguments])
    return result.exit_code, result.output


def test_command_verifies(folder: Path) -> None:
    status, output = run(folder, "verify", "--offline")
    assert status == 0
    assert output.endswith("2 stores, no problems\n")


def test_command_tells_of_problems(folder: Path, stores: Stores) -> None:
    stores.write(ITEMS, PARTITION, [(b"xyz", b"no row")])
    status, output = run(folder, "verify", "--offline", "--json")
    assert status == 1
    assert [len(json.loads(line)["problems"]) for line in output.splitlines()] == [1, 0]


@pytest.mark.parametrize("what", [("--user", "u1"), ("--item", "i1")])
def test_command_inspects(folder: Path, what: tuple[str, str]) -> None:
    status, text = run(folder, "inspect", *what)
    assert status == 0
    assert what[1] in text
    status, output = run(folder, "inspect", *what, "--json")
    assert status == 0
    assert json.loads(output)[what[0][2:]] == what[1]


def test_command_wants_a_user_or_an_item(folder: Path) -> None:
    assert run(folder, "inspect")[0] == 2
