"""Times of logs: seconds, milliseconds and RFC 3339 mean the same moment."""

from __future__ import annotations

import doctest
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.logs import timestamps
from stream_rec.logs.timestamps import (
    EITHER,
    MILLISECONDS_FROM,
    day_order,
    parse_timestamp_ms,
    writes_day,
)

SINCE_1973_MS = st.integers(int(MILLISECONDS_FROM), int(4e12))


@given(SINCE_1973_MS)
def test_milliseconds_are_recognised_by_their_size(ts_ms: int) -> None:
    assert parse_timestamp_ms(ts_ms) == parse_timestamp_ms(str(ts_ms)) == ts_ms


@given(st.integers(0, int(MILLISECONDS_FROM) - 1))
def test_seconds_are_recognised_by_their_size(ts_s: int) -> None:
    assert parse_timestamp_ms(ts_s) == parse_timestamp_ms(str(ts_s)) == ts_s * 1000


@given(SINCE_1973_MS)
def test_micro_and_nanoseconds_are_recognised_by_their_size(ts_ms: int) -> None:
    assert parse_timestamp_ms(ts_ms * 1000) == ts_ms
    assert abs(parse_timestamp_ms(ts_ms * 1_000_000) - ts_ms) <= 1  # a float holds no more


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 12, 31)))
def test_digits_that_write_a_moment_are_that_moment(moment: datetime) -> None:
    second_ms = round(moment.replace(microsecond=0, tzinfo=UTC).timestamp()) * 1000
    digits = moment.strftime("%Y%m%d%H%M%S")
    for unit in ("auto", "date"):
        assert (
            parse_timestamp_ms(digits, unit) == parse_timestamp_ms(int(digits), unit) == second_ms
        )
    day = digits[:8]
    day_ms = second_ms // 86_400_000 * 86_400_000
    assert parse_timestamp_ms(day, "date") == parse_timestamp_ms(float(day), "date") == day_ms
    assert writes_day(day)
    assert writes_day(int(day))


@pytest.mark.parametrize("raw", [20231314, "20230229", 99999999, 19691231, 21010101])
def test_digits_that_write_no_day_are_refused_where_days_are_written(raw: object) -> None:
    assert not writes_day(raw)
    with pytest.raises(ValueError, match="YYYYMMDD"):
        parse_timestamp_ms(raw, "date")


@given(SINCE_1973_MS)
def test_rfc3339_is_the_same_moment(ts_ms: int) -> None:
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC)
    assert parse_timestamp_ms(moment.isoformat()) == ts_ms
    assert parse_timestamp_ms(moment.isoformat().replace("+00:00", "Z")) == ts_ms
    assert parse_timestamp_ms(moment.replace(tzinfo=None).isoformat(sep=" ")) == ts_ms
    assert parse_timestamp_ms(moment) == ts_ms


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 12, 31)))
def test_day_and_month_in_any_order_are_the_same_moment(moment: datetime) -> None:
    day, month, year = moment.day, moment.month, moment.year
    second_ms = round(moment.replace(microsecond=0, tzinfo=UTC).timestamp()) * 1000
    american, european = f"{month}/{day}/{year}", f"{day:02}-{month:02}-{year}"
    clock = f"{moment.hour}:{moment:%M:%S}"
    assert parse_timestamp_ms(f"{american} {clock}", "mdy") == second_ms
    assert parse_timestamp_ms(f"{american}, {moment:%I:%M:%S %p}", "mdy") == second_ms
    assert parse_timestamp_ms(f"{european}T{clock}", "dmy") == second_ms
    for written in (f"{year}/{month}/{day}", f"{day}.{month}.{year}"):
        assert parse_timestamp_ms(f"{written} {clock}") == second_ms
    if day > 12:
        assert (day_order(american), day_order(european)) == ("mdy", "dmy")
        assert parse_timestamp_ms(f"{american} {clock}") == second_ms
        with pytest.raises(ValueError, match="got"):
            parse_timestamp_ms(american, "dmy")
    else:
        assert day_order(american) == day_order(european) == EITHER
        with pytest.raises(ValueError, match="may be two dates"):
            parse_timestamp_ms(american)


def test_given_unit_overrules_the_size() -> None:
    assert parse_timestamp_ms(1_000, "ms") == 1_000
    assert parse_timestamp_ms(1_000, "s") == 1_000_000


@pytest.mark.parametrize(
    "raw", ["yesterday", "", None, True, math.nan, math.inf, "nan", -1, "1969-01-01"]
)
def test_what_is_no_time_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="got"):
        parse_timestamp_ms(raw)


def test_documented_example_runs() -> None:
    assert doctest.testmod(timestamps) == (0, 9)
