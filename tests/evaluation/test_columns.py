"""Laws of a log as columns: order, numbering, what is scored, what is left out and counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.evaluation.cleaning import FLOOD_EVENTS, find_far_times
from stream_rec.evaluation.columns import ColumnsBuilder, LogColumns
from stream_rec.evaluation.prequential import Prequential
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.logs import LogRow
from stream_rec.model.batch import DUPLICATE
from stream_rec.model.engine import Engine
from tests.evaluation.logs import columns_of, made_up_rows

rows = st.lists(
    st.builds(
        lambda **fields: LogRow(**fields),
        user=st.sampled_from("abc"),
        item=st.sampled_from("xyz"),
        type=st.sampled_from(["click", "dislike"]),
        ts_ms=st.integers(0, 5).map(lambda s: 1000 * s),
    ),
    max_size=25,
)


@given(rows)
def test_events_are_in_time_order_with_ties_as_in_the_file(given_rows: list[LogRow]) -> None:
    log = columns_of(given_rows)
    expected = sorted(given_rows, key=lambda row: row.ts_ms)
    came = [
        (log.users[u], log.items[i], t * 1000)
        for u, i, t in zip(log.user, log.item, log.time_s, strict=True)
    ]
    assert came == [(row.user, row.item, row.ts_ms) for row in expected]


@given(rows)
def test_ids_are_numbered_by_first_occurrence(given_rows: list[LogRow]) -> None:
    log = columns_of(given_rows)
    for codes, ids in ((log.user, log.users), (log.item, log.items)):
        assert list(dict.fromkeys(codes.tolist())) == list(range(len(ids)))


@given(rows)
def test_scored_is_what_speaks_for_an_item_new_to_the_user(given_rows: list[LogRow]) -> None:
    expected, seen = [], set()
    for row in sorted(given_rows, key=lambda row: row.ts_ms):
        expected.append(row.type == "click" and (row.user, row.item) not in seen)
        seen.add((row.user, row.item))
    assert columns_of(given_rows).is_scored.tolist() == expected


def test_unusable_events_are_left_out_and_counted_by_reason() -> None:
    builder = ColumnsBuilder(EventSettings())
    used = [
        builder.add(LogRow("a", "x", "click", ts_ms=1000)),
        builder.add(LogRow("a", "x", "purr", ts_ms=2000)),
        builder.add(LogRow("a", "x", "rating", 11.0, ts_ms=2000)),
        builder.add(LogRow("b", "y", "dislike", ts_ms=3000)),
    ]
    log = builder.build()
    assert used == [True, False, False, True]
    assert builder.cleaning.refused == {"unknown_type": 1, "outside_scale": 1}
    assert "'purr'" in builder.cleaning.first_refusal["unknown_type"]
    assert len(log.user) == 2
    assert log.weight.tolist() == [WEIGHT_UNIT, -WEIGHT_UNIT]


def test_unknown_types_are_ignored_where_the_configuration_says_so() -> None:
    builder = ColumnsBuilder(EventSettings(unknown_type="ignore"))
    assert not builder.add(LogRow("a", "x", "purr", ts_ms=1000))
    assert builder.cleaning.n_ignored == 1
    assert builder.cleaning.refused == {}


def test_requests_to_be_forgotten_are_counted_and_no_events() -> None:
    builder = ColumnsBuilder(EventSettings())
    assert builder.add(LogRow("a", "x", "click", ts_ms=1000))
    assert not builder.add(LogRow("a", "x", "forget", ts_ms=2000))
    assert builder.cleaning.n_forgets == 1
    assert len(builder.build().user) == 1


def test_cleaning_counts_order_repetition_and_missing_times() -> None:
    builder = ColumnsBuilder(EventSettings())
    for ts_ms in (2000, 1000, None, 2000):
        builder.add(LogRow("a", "x", "click", ts_ms=ts_ms))
    log = builder.build()
    cleaning = builder.cleaning
    assert log.time_s.tolist() == [1.0, 1.0, 2.0, 2.0]
    assert cleaning.n_out_of_order == 1
    assert cleaning.n_without_time == 1
    assert cleaning.n_repeated == 2


def test_event_without_a_time_happens_with_the_one_before_it_in_the_file() -> None:
    for given_s, expected_s in (
        ([100, 50, None], [50, 50, 100]),
        ([None, None, 70, None, 90], [70, 70, 70, 70, 90]),
        ([None, None], [0, 0]),
    ):
        rows = [
            LogRow("a", f"i{x}", "click", ts_ms=None if s is None else 1000 * s)
            for x, s in enumerate(given_s)
        ]
        assert columns_of(rows).time_s.tolist() == expected_s


def test_one_early_or_late_time_puts_one_event_out_of_order_and_is_told() -> None:
    for far_s in (0, 4_000_000_000):
        builder = ColumnsBuilder(EventSettings())
        times_s = [1_700_000_000 + 60 * x for x in range(100)]
        for x, s in enumerate([*times_s[:50], far_s, *times_s[50:]]):
            builder.add(LogRow("a", f"i{x}", "click", ts_ms=1000 * s))
        assert len(builder.build().user) == 101
        found = builder.cleaning
        assert found.n_out_of_order == 1
        assert found.far_times == (1, times_s[0], times_s[-1])


@given(st.lists(st.floats(0, 30 * 86_400), min_size=1))
def test_times_of_a_month_are_never_far(times_s: list[float]) -> None:
    assert find_far_times(np.sort(times_s)).n_events == 0


def test_two_seasons_of_much_are_not_far_from_each_other() -> None:
    times_s = np.array([*range(50), *(1e9 + x for x in range(50))])
    assert find_far_times(times_s).n_events == 0
    assert find_far_times(times_s[45:]) == (5, 1e9, 1e9 + 49)


def flood(n: int) -> ColumnsBuilder:
    builder = ColumnsBuilder(EventSettings())
    for x in range(n):
        builder.add(LogRow("bot", f"i{x}", "click", ts_ms=1_000_000 + x))
    for x in range(n):
        builder.add(LogRow("person", f"i{x}", "click", ts_ms=1_000_000 + 60_000 * x))
        builder.add(LogRow("person", f"i{x}", "click", ts_ms=1_000_000 + 60_000 * x))
    return builder


def test_bots_and_repetitions_are_told_and_left_out_only_if_asked() -> None:
    n = FLOOD_EVENTS
    kept = flood(n)
    assert len(kept.build().user) == 3 * n
    found = kept.cleaning
    assert (found.n_bots, found.n_bot_events, found.n_repeated) == (1, n, n)
    log = kept.build(drop_repeated=True, drop_bots=True)
    assert log.users == ["person"]
    assert len(log.user) == n
    below = flood(n - 1)
    below.build()
    assert below.cleaning.n_bots == 0


def test_event_ids_and_values_reach_the_columns() -> None:
    log = columns_of(
        [
            LogRow("a", "x", "rating", 0.0, ts_ms=1000, event_id="e1"),
            LogRow("a", "x", "click", ts_ms=1000),
        ]
    )
    assert log.value[0] == 0.0
    assert np.isnan(log.value[1])
    assert log.event_id[0] != 0
    assert log.event_id[1] == 0


@pytest.mark.parametrize("window", [0, 1, 4])
@pytest.mark.parametrize("drop", [False, True])
def test_events_that_the_engine_drops_for_their_ids_are_left_out(window: int, drop: bool) -> None:
    settings = EventSettings(duplicate_window=window)
    random = np.random.default_rng(1)
    rows = [
        row._replace(event_id=None if x % 7 == 0 else f"e{random.integers(8)}")
        for x, row in enumerate(made_up_rows(300, n_users=6, n_items=9))
    ]
    rows = [row._replace(ts_ms=1_700_000_000_000) for row in rows]
    builder, careless = ColumnsBuilder(settings), ColumnsBuilder(EventSettings(duplicate_window=0))
    for row in rows:
        builder.add(row)
        careless.add(row)
    log, everything = (each.build(drop_repeated=drop) for each in (builder, careless))
    assert n_dropped_by_engine(log, settings) == 0
    n_dropped = n_dropped_by_engine(everything, settings)
    assert builder.cleaning.n_known_ids == len(everything.user) - len(log.user) == n_dropped
    assert (n_dropped > 0) == (window > 0)


def n_dropped_by_engine(log: LogColumns, settings: EventSettings) -> int:
    engine = Engine(ModelSettings(), settings, source_topic="log", n_partitions=1)
    run = Prequential(engine, log)
    outcome = run.engine.fold_columns(run.columns, [(0, len(log.user))], publish=False)
    return int((outcome.status == DUPLICATE).sum())


@pytest.mark.parametrize(("n_distinct", "is_poor"), [(1, True), (49, True), (51, False)])
def test_event_ids_that_are_hardly_unique_are_noticed(n_distinct: int, is_poor: bool) -> None:
    builder = ColumnsBuilder(EventSettings())
    for x in range(100):
        builder.add(LogRow("a", f"i{x}", "view", ts_ms=x, event_id=f"e{min(x, n_distinct - 1)}"))
    builder.build()
    assert builder.cleaning.has_poor_ids == is_poor
