"""Bursts against counting by hand."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.bursts import BURST_MAX, count_burst
from stream_rec.kernels.profiles import ProfileRows, empty_profile_rows
from tests.kernels.strategies import long_lists

events = long_lists(st.tuples(st.integers(0, 2), st.floats(0, 3_600)), 80)


def empty() -> ProfileRows:
    return empty_profile_rows(3, 4, 2, 2, 4)


def send(profiles: ProfileRows, user: int, time_s: float) -> int:
    burst = count_burst(profiles, user, time_s)
    profiles.last_s[user] = max(profiles.last_s[user], time_s)
    return burst


@given(events)
def test_events_of_each_minute_count_half_as_much_a_minute_later(
    events: list[tuple[int, float]],
) -> None:
    profiles = empty()
    latest, counts = dict.fromkeys(range(3), -1), Counter[int]()
    for user, time_s in events:
        minute = max(int(time_s // 60), latest[user])
        for _ in range(minute - latest[user]):
            counts[user] //= 2
        latest[user] = minute
        counts[user] += 1
        assert send(profiles, user, time_s) == counts[user]


def test_a_steady_rate_leads_to_between_it_and_twice_of_it() -> None:
    profiles = empty()
    bursts = [send(profiles, 0, 60.0 * minute + x / 10) for minute in range(30) for x in range(100)]
    assert bursts[99] == 100
    assert min(bursts[-100:]) >= 99
    assert max(bursts) <= 200


def test_a_burst_ends_where_its_two_bytes_end() -> None:
    profiles = empty()
    profiles.burst[1], profiles.last_s[1] = BURST_MAX, 90.0
    assert send(profiles, 1, 100.0) == BURST_MAX
    assert send(profiles, 1, 90.0 + 60.0 * 40) == 1
