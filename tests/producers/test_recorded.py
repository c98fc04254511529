"""A replay sends the rows it was asked for: from an offset, up to a limit, lap after lap."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.recorded import LAP_GAP_MS, BadRows, ReplayPlan, recorded_events
from producers.replay import encode_event
from stream_rec.config import EventSettings
from stream_rec.errors import InputError
from stream_rec.logs import LogOptions, LogRow
from stream_rec.model.events import EventDecoder

N_ROWS = 10
START_MS = 1_000_000_000_000


@pytest.fixture
def log_path(tmp_path: Path) -> str:
    path = tmp_path / "log.csv"
    lines = [f"u{n},i{n},{START_MS + n * 1000},e{n}" for n in range(N_ROWS)]
    path.write_text("user,item,ts,event_id\n" + "\n".join(lines))
    return str(path)


def plan(path: str, **changes: object) -> ReplayPlan:
    return ReplayPlan(path, LogOptions(), **changes)  # type: ignore[arg-type]


def test_every_row_is_replayed_once_in_order(log_path: str) -> None:
    events = list(recorded_events(plan(log_path)))
    assert [event.position for event in events] == list(range(N_ROWS))
    assert [event.row.user for event in events] == [f"u{n}" for n in range(N_ROWS)]


@pytest.mark.parametrize("offset", range(N_ROWS + 1))
def test_replay_resumed_at_any_event_completes_the_log(log_path: str, offset: int) -> None:
    before = list(islice(recorded_events(plan(log_path)), offset))
    after = list(recorded_events(plan(log_path, from_offset=offset)))
    whole = list(recorded_events(plan(log_path)))
    assert before + after == whole


def test_limit_counts_events_after_the_offset(log_path: str) -> None:
    events = list(recorded_events(plan(log_path, from_offset=3, limit=4)))
    assert [event.position for event in events] == [3, 4, 5, 6]
    assert [event.fraction for event in events] == [0.25, 0.5, 0.75, 1.0]


def test_offset_past_the_end_is_an_error(log_path: str) -> None:
    with pytest.raises(InputError, match="expected at least 11 events"):
        list(recorded_events(plan(log_path, from_offset=N_ROWS + 1)))


def test_empty_log_is_an_error_even_in_a_loop(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item\n")
    with pytest.raises(InputError, match="expected at least 1 events"):
        list(recorded_events(plan(str(path), loop=True)))


def test_bad_rows_are_counted_and_do_not_move_positions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item\na,b\n" + ",b\n" * 20 + "c,d\n")
    bad_rows = BadRows()
    events = list(recorded_events(plan(str(path), bad_rows=bad_rows)))
    assert [(event.position, event.row.user) for event in events] == [(0, "a"), (1, "c")]
    assert bad_rows.n_passed_over == 20
    assert len(capsys.readouterr().err.splitlines()) == 11


def test_laps_continue_in_time_with_new_event_ids(log_path: str) -> None:
    events = list(islice(recorded_events(plan(log_path, loop=True)), 3 * N_ROWS))
    lap_ms = (N_ROWS - 1) * 1000 + LAP_GAP_MS
    for n, event in enumerate(events):
        lap, position = divmod(n, N_ROWS)
        assert event.position == position
        assert event.row.ts_ms == START_MS + position * 1000 + lap * lap_ms
    assert len({event.row.event_id for event in events}) == 3 * N_ROWS


def test_laps_never_reach_the_future(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    now_ms = time.time_ns() // 1_000_000
    path.write_text(f"user,item,ts\na,b,{now_ms - 86_400_000}\na,c,{now_ms - 1000}\n")
    events = islice(recorded_events(plan(str(path), loop=True)), 20)
    times_ms = [event.row.ts_ms for event in events]
    assert max(ts_ms for ts_ms in times_ms if ts_ms is not None) <= time.time_ns() // 1_000_000


IDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)
ROWS = st.builds(
    LogRow,
    user=IDS,
    item=IDS,
    type=st.sampled_from(["view", "rating", "return"]),
    value=st.floats(0, 10),
    ts_ms=st.none() | st.integers(0, 1_764_000_000_000),
    event_id=st.none() | IDS,
    session=st.none() | IDS,
    context=st.none() | st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=2),
)


@given(ROWS)
def test_message_means_the_row_to_the_worker(row: LogRow) -> None:
    kafka_ms = 1_764_000_000_000
    decoder = EventDecoder(EventSettings())
    event = decoder.from_record(encode_event(row), row.user.encode(), kafka_ms)
    assert event is not None
    ts_ms = kafka_ms if row.ts_ms is None else row.ts_ms
    assert round((event.ts or 0.0) * 1000) == ts_ms
    assert (event.user, event.item, event.type, event.value) == row[:4]
    assert (event.event_id, event.session, event.context) == row[5:]


def test_message_has_no_empty_fields() -> None:
    assert msgspec.json.decode(encode_event(LogRow("a", "b", "view"))) == {
        "user": "a",
        "item": "b",
        "type": "view",
    }
