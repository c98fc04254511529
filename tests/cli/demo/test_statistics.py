"""Laws of the statistics: every list is joined with the event it answers, whatever comes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.cli.demo.statistics import DemoStatistics
from tests.cli.demo.conftest import answer, event

N_EVENTS = 8


def arrivals():
    events = [event(n, f"user-{n % 3}", f"item-{n}", partition=n % 2) for n in range(N_EVENTS)]
    lists = [
        answer(n, f"user-{n % 3}", f"item-{n + 3}", partition=n % 2, latency_ms=n)
        for n in range(N_EVENTS)
    ]
    return events, lists


@given(st.lists(st.booleans(), min_size=2 * N_EVENTS, max_size=2 * N_EVENTS))
def test_order_of_arrival_changes_nothing(takes_event_first):
    events, lists = arrivals()
    statistics = DemoStatistics()
    for takes_event in takes_event_first:
        if events and (takes_event or not lists):
            statistics.add_event(events.pop(0))
        elif lists:
            statistics.add_list(lists.pop(0))
    for refreshed in lists:
        statistics.add_list(refreshed)
    for missing in events:
        statistics.add_event(missing)
    assert (statistics.n_events, statistics.n_lists, statistics.n_answered) == (N_EVENTS,) * 3
    assert sorted(statistics.latencies_ms) == list(range(N_EVENTS))
    assert (statistics.hits.n_scored, statistics.hits.n_hits) == (N_EVENTS - 3, N_EVENTS - 3)


def test_list_that_comes_again_counts_once():
    statistics = DemoStatistics()
    statistics.add_event(event(0, "ann", "alien"))
    assert len(statistics.add_list(answer(0, "ann", "heat"))) == 1
    assert statistics.add_list(answer(0, "ann", "heat")) == []
    statistics.add_event(event(1, "ann", "heat"))
    assert len(statistics.add_list(answer(1, "ann", "up"))) == 1
    assert (statistics.n_answered, statistics.n_repeated_lists) == (2, 1)


def test_empty_list_counts_only_where_there_was_something_to_recommend():
    statistics = DemoStatistics(list_length=2)
    for offset, item in enumerate(("a", "b", "c")):
        statistics.add_event(event(offset, "ann", item))
        statistics.add_list(answer(offset, "ann"))
    assert statistics.n_empty_lists == 0
    statistics.add_event(event(3, "bob", "a"))
    statistics.add_list(answer(3, "bob"))
    assert statistics.n_empty_lists == 1


def test_latency_quantiles_are_of_all_lists():
    statistics = DemoStatistics()
    assert statistics.latency_ms(0.5) is None
    for offset in range(100):
        statistics.add_event(event(offset, "ann", str(offset)))
        statistics.add_list(answer(offset, "ann", "x", latency_ms=99 - offset))
    assert statistics.latency_ms(0.50) == 50
    assert statistics.latency_ms(0.99) == 99
    assert statistics.latency_ms(0.00) == 0


def test_span_is_from_the_first_event_to_the_last_list():
    statistics = DemoStatistics()
    assert statistics.span_s == 0.0
    for offset in (0, 3):
        statistics.add_event(event(offset, "ann", str(offset)))
        statistics.add_list(answer(offset, "ann", "x", latency_ms=250))
    assert statistics.span_s == 3.25


def test_rate_is_that_of_the_last_seconds():
    statistics = DemoStatistics()
    assert statistics.lists_per_s(100.0) == 0.0
    for offset in range(50):
        statistics.add_event(event(offset, "ann", str(offset)))
        statistics.add_list(answer(offset, "ann", "x"))
    assert statistics.lists_per_s(101.0) == 50.0
    for now_s in (102.0, 103.0, 104.0, 105.0):
        rate = statistics.lists_per_s(now_s)
    assert rate == 0.0


def test_moment_tells_what_was_taken_and_what_comes_now():
    statistics = DemoStatistics()
    statistics.add_event(event(0, "ann", "alien"))
    statistics.add_list(answer(0, "ann", "heat"))
    statistics.add_event(event(1, "ann", "heat", value=6.0))
    (moment,) = statistics.add_list(answer(1, "ann", "up", latency_ms=7.5))
    assert (moment.user, moment.item, moment.value, moment.place) == ("ann", "heat", 6.0, 1)
    assert moment.ratings == {"alien": 8.0, "heat": 6.0}
    assert [listed.item for listed in moment.items] == ["up"]
    assert moment.latency_ms == pytest.approx(7.5)
