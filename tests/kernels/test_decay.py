"""Forward decay against sums taken directly at the time of asking."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.decay import EMPTY, add_log2, decayed_weight
from stream_rec.kernels.item_rows import WEIGHT_UNIT, count_item, empty_item_rows, see_item

HALF_LIVES_S = np.array([900.0, 7_200.0, 86_400.0])
times = st.floats(1.6e9, 1.6e9 + 40_000.0)
events = st.lists(st.tuples(times, st.integers(1, 64)), min_size=1, max_size=30)


def folded(taken: list[tuple[float, int]]) -> np.ndarray:
    """Return log2 of the forward-decayed weight at each half-life."""
    rows = empty_item_rows(1, len(HALF_LIVES_S), 0, 8, 8)
    for time_s, weight in taken:
        count_item(rows, 0, time_s, weight, HALF_LIVES_S)
    assert rows.taken[0] == sum(weight for _, weight in taken)
    return rows.popularity[0]


def weights_at(now_s: float, taken: list[tuple[float, int]]) -> list[float]:
    return [
        sum(
            weight / WEIGHT_UNIT * 2.0 ** ((time_s - now_s) / half_life) for time_s, weight in taken
        )
        for half_life in HALF_LIVES_S.tolist()
    ]


@given(events)
def test_forward_decay_equals_the_sum_decayed_to_now(taken: list[tuple[float, int]]) -> None:
    now_s = 1.6e9 + 50_000.0
    decayed = np.exp2(folded(taken) - now_s / HALF_LIVES_S)
    assert decayed == pytest.approx(weights_at(now_s, taken), rel=1e-7)


@given(events, st.randoms(use_true_random=False))
def test_late_events_count_at_their_own_time(taken: list[tuple[float, int]], random) -> None:
    shuffled = random.sample(taken, len(taken))
    assert folded(shuffled) == pytest.approx(folded(taken), abs=1e-8)


@given(times, times, events)
def test_clock_running_backwards_never_makes_a_weight_grow(
    one: float, other: float, before: list[tuple[float, int]]
) -> None:
    early, late = sorted((one, other))
    assert np.all(folded([*before, (early, 16)]) <= folded([*before, (late, 16)]))


@given(events, times)
def test_an_event_never_lowers_a_weight(taken: list[tuple[float, int]], time_s: float) -> None:
    assert np.all(folded([*taken, (time_s, 1)]) >= folded(taken))


@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7))
def test_addition_commutes_and_stays_in_range(a: float, b: float) -> None:
    total = add_log2(a, b)
    assert total == add_log2(b, a)
    assert max(a, b) <= total <= max(a, b) + 1.0


@given(*[st.floats(-30.0, 30.0)] * 3)
def test_addition_is_that_of_the_numbers(a: float, b: float, c: float) -> None:
    total = add_log2(a, add_log2(b, c))
    assert total == pytest.approx(math.log2(2.0**a + 2.0**b + 2.0**c), abs=1e-12)


@given(st.floats(-1e7, 1e7))
def test_empty_sum_is_the_zero_of_addition(a: float) -> None:
    assert add_log2(EMPTY, a) == add_log2(a, EMPTY) == a
    assert add_log2(EMPTY, EMPTY) == EMPTY


def test_infinite_half_life_counts() -> None:
    total = EMPTY
    for time_s in (1.0, 5e9, 1e3):
        total = add_log2(total, decayed_weight(time_s, math.inf))
    assert total == pytest.approx(math.log2(3.0))


def test_span_of_an_item_is_that_of_its_event_times() -> None:
    rows = empty_item_rows(1, 1, 0, 8, 8)
    for time_s in (50.0, 70.0, 20.0, 60.0):
        see_item(rows, 0, time_s)
    assert (rows.first_s[0], rows.last_s[0]) == (20.0, 70.0)
