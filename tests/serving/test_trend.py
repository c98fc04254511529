"""What was taken in the last minutes is counted as a scan over all events would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.serving import trend as module
from stream_rec.serving.recent_events import EVENTS_MAX, EVENTS_MIN, tail_of
from stream_rec.serving.trend import BUCKET_S, Trend

WINDOW_S = 60.0
Taken = tuple[str, float, float]
"""Item, event time, weight."""

taken = st.tuples(
    st.sampled_from("abcdef"),
    st.one_of(st.floats(0.0, 300.0), st.floats(0.0, 10_000.0)),
    st.sampled_from([1.0, 1.0, 0.3, 2.5, -1.0]),
)


def scanned(events: Sequence[Taken]) -> list[tuple[str, float]]:
    """Count what is in the window by looking at every event again."""
    begin_s = (max(time_s for _, time_s, _ in events) // BUCKET_S) * BUCKET_S - WINDOW_S
    counts: Counter[str] = Counter()
    for item, time_s, weight in events:
        if weight > 0 and time_s >= begin_s:
            counts[item] += round(weight * 1_000)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(item, units / 1_000) for item, units in ranked]


def trend_of(events: Sequence[Taken]) -> Trend:
    trend = Trend(WINDOW_S)
    for event in events:
        trend.add(*event)
    return trend


@given(st.lists(taken, min_size=1, max_size=60), st.data())
def test_the_window_holds_what_a_scan_finds(events: list[Taken], data: st.DataObject) -> None:
    """Events come in any order; asking in between changes nothing."""
    trend = Trend(WINDOW_S)
    asked_after = data.draw(st.sets(st.integers(0, len(events) - 1)))
    for number, event in enumerate(events):
        trend.add(*event)
        if number in asked_after:
            assert trend.items() == scanned(events[: number + 1])
    assert trend.items() == scanned(events)


@given(st.lists(taken, min_size=1, max_size=60))
def test_nothing_that_is_counted_is_older_than_it_says(events: list[Taken]) -> None:
    trend = trend_of(events)
    latest_s = max(time_s for _, time_s, _ in events)
    assert latest_s - WINDOW_S - BUCKET_S <= trend.since_s <= latest_s
    assert trend.items() == scanned([event for event in events if event[1] >= trend.since_s])


@given(st.permutations("aabbccdefgh"), st.integers(2, 5))
def test_a_full_bucket_never_counts_too_much_and_keeps_what_is_popular(
    items: list[str], items_max: int
) -> None:
    flood = [*(["hit"] * 5), *items]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ITEMS_PER_BUCKET_MAX", items_max)
        found = trend_of([(item, 5.0, 1.0) for item in flood]).items()
    assert found[0] == ("hit", 5.0)
    assert len(found) <= items_max
    counts = Counter(flood)
    assert all(score <= counts[item] for item, score in found)


def test_what_was_thinned_leaves_with_its_bucket() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ITEMS_PER_BUCKET_MAX", 2)
        trend = trend_of([(item, 5.0, 1.0) for item in "aabcde"])
        trend.add("z", 5.0 + 2 * WINDOW_S, 1.0)
        assert trend.items() == [("z", 1.0)]


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 64))
def test_the_tail_reaches_as_far_as_it_should(
    begin: int, n_before: int, n_recent: int, n_partitions: int
) -> None:
    recent, end = begin + n_before, begin + n_before + n_recent
    first, _ = tail_of(begin, recent, end, n_partitions)
    assert begin <= first <= end
    assert end - first <= EVENTS_MAX
    if n_recent <= EVENTS_MAX // n_partitions:
        assert first <= recent
        assert first == begin or end - first >= EVENTS_MIN // n_partitions
