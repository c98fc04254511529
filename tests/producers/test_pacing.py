"""Events are due at the log's pace, a multiple of it, a fixed rate, whichever is later."""

from __future__ import annotations

import doctest
from itertools import pairwise

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers import pacing
from producers.pacing import Pacer, SpeedType
from stream_rec.errors import InputError

TIMES_MS = st.lists(st.integers(0, 2_000_000_000_000), min_size=1)


@given(TIMES_MS)
def test_without_speed_and_rate_everything_is_due_at_once(times_ms: list[int]) -> None:
    assert {Pacer().due_s(n, ts_ms) for n, ts_ms in enumerate(times_ms)} == {0.0}


@given(st.floats(0.01, 1e6), st.integers(1, 100))
def test_rate_spaces_events_evenly(rate_per_s: float, n_events: int) -> None:
    pacer = Pacer(rate_per_s=rate_per_s)
    due_s = [pacer.due_s(n, None) for n in range(n_events)]
    assert due_s == [n / rate_per_s for n in range(n_events)]


@given(TIMES_MS, st.floats(0.1, 1000))
def test_speed_keeps_the_gaps_of_the_log(times_ms: list[int], speed: float) -> None:
    times_ms.sort()
    pacer = Pacer(speed=speed)
    due_s = [pacer.due_s(n, ts_ms) for n, ts_ms in enumerate(times_ms)]
    assert due_s == pytest.approx([(ts_ms - times_ms[0]) / 1000 / speed for ts_ms in times_ms])


@given(TIMES_MS, st.floats(0.1, 1000), st.floats(0.1, 1000))
def test_rate_bounds_speed(times_ms: list[int], speed: float, rate_per_s: float) -> None:
    times_ms.sort()
    pacer = Pacer(speed, rate_per_s)
    due_s = [pacer.due_s(n, ts_ms) for n, ts_ms in enumerate(times_ms)]
    assert all(before <= after for before, after in pairwise(due_s))
    assert all(due >= n / rate_per_s for n, due in enumerate(due_s))


def test_event_from_before_the_first_is_due_at_once() -> None:
    pacer = Pacer(speed=1.0)
    pacer.due_s(0, 10_000)
    assert pacer.due_s(1, 5_000) == 0.0


def test_pace_of_a_log_without_times_is_an_error() -> None:
    with pytest.raises(InputError, match="the first event has none; use --rate"):
        Pacer(speed=1.0).due_s(0, None)


@pytest.mark.parametrize(
    ("text", "speed"), [("max", None), ("original", 1.0), ("10x", 10.0), ("0.5", 0.5)]
)
def test_speed_is_read(text: str, speed: float | None) -> None:
    assert SpeedType().convert(text, None, None) == speed


@pytest.mark.parametrize("text", ["fast", "0x", "-1", "infx", "nan", "x", ""])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected original, max or a multiple"):
        SpeedType().convert(text, None, None)


def test_documented_example_runs() -> None:
    outcome = doctest.testmod(pacing)
    assert outcome.attempted > 0
    assert outcome.failed == 0
