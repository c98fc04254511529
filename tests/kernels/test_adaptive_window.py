"""ADWIN against a list of values, a slow version of its test, and river's."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.drift import ADWIN

from stream_rec.kernels.adaptive_window import (
    CHECK_EVERY,
    CONFIDENCE,
    MAX_BUCKETS,
    SHORTEST_PART,
    SHORTEST_WINDOW,
    AdaptiveWindow,
    add_value,
    empty_window,
    mean_of,
)

phases = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 700)), min_size=1, max_size=4)
seeds = st.integers(0, 2**32 - 1)


def draw(phases: list[tuple[float, int]], seed: int) -> list[bool]:
    """Return hits whose rate changes from phase to phase."""
    random = np.random.default_rng(seed)
    return [hit for rate, n in phases for hit in (random.random(n) < rate).tolist()]


def buckets_of(window: AdaptiveWindow) -> list[tuple[int, int]]:
    """Return (values, ones) of each bucket, oldest first."""
    return [
        (2**row, int(window.ones[row, x]))
        for row in reversed(range(len(window.n_buckets)))
        for x in range(int(window.n_buckets[row]))
    ]


def n_changed(buckets: list[tuple[int, int]]) -> int:
    """Return how many buckets are older than the split that exceeds its bound the most."""
    n_values, n_ones = (sum(column) for column in zip(*buckets, strict=True))
    if n_values <= SHORTEST_WINDOW:
        return 0
    variance = n_ones / n_values * (1 - n_ones / n_values)
    log_term = math.log(2 * math.log(n_values) / CONFIDENCE)
    excesses = []
    for older_n, older in zip(*map(accumulate, zip(*buckets, strict=True)), strict=True):
        newer_n = n_values - older_n
        if min(older_n, newer_n) < SHORTEST_PART:
            excesses.append(0.0)
            continue
        m = 1 / (1 / older_n + 1 / newer_n)
        bound = math.sqrt(2 / m * variance * log_term) + 2 / (3 * m) * log_term
        excesses.append(abs(older / older_n - (n_ones - older) / newer_n) / bound)
    most = max(excesses)
    return excesses.index(most) + 1 if most > 1 else 0


@given(phases, seeds)
def test_buckets_are_those_of_the_latest_values(phases: list[tuple[float, int]], seed: int) -> None:
    window, hits = empty_window(), draw(phases, seed)
    for n, hit in enumerate(hits, start=1):
        add_value(window, hit)
        if n % 97 and n < len(hits):
            continue
        end = n
        for n_values, n_ones in reversed(buckets_of(window)):
            assert n_ones == sum(hits[end - n_values : end])
            end -= n_values
        kept = hits[end:n]
        assert mean_of(window) == pytest.approx(sum(kept) / len(kept))
        assert window.n_buckets.max() <= MAX_BUCKETS


@given(phases, seeds)
def test_what_is_dropped_is_what_differs_most(phases: list[tuple[float, int]], seed: int) -> None:
    window = empty_window()
    for n, hit in enumerate(draw(phases, seed), start=1):
        if n % CHECK_EVERY:
            assert add_value(window, hit) == 0.0
            continue
        before = AdaptiveWindow(*(array.copy() for array in window))
        before.n_values[0] = 0.0  # so that adding the value here ends before the check
        add_value(before, hit)
        n_dropped, change = n_changed(buckets_of(before)), add_value(window, hit)
        assert buckets_of(window) == buckets_of(before)[n_dropped:]
        assert change == pytest.approx(mean_of(window) - mean_of(before), abs=1e-12)


def test_changes_are_counted_by_direction() -> None:
    window = empty_window()
    for hit in draw([(0.5, 1_000), (0.1, 1_000), (0.6, 1_000), (0.6, 1_000)], 3):
        add_value(window, hit)
    assert window.n_changes.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_rivers_finds_the_same_changes(seed: int) -> None:
    rates = np.random.default_rng(seed).permutation([0.1, 0.3, 0.5, 0.7, 0.9]).tolist()
    window, peer = empty_window(), ADWIN()
    found, found_by_peer = [], []
    for n, hit in enumerate(draw([(rate, 1_500) for rate in rates], seed)):
        peer.update(int(hit))
        if add_value(window, hit):
            found.append(n)
        if peer.drift_detected:
            found_by_peer.append(n)
    assert len(found) == 4
    assert found == pytest.approx(found_by_peer, abs=4 * CHECK_EVERY)
    assert mean_of(window) == pytest.approx(peer.estimation, abs=0.05)


def test_where_nothing_changes_nothing_is_found() -> None:
    windows = [empty_window() for _ in range(10)]
    for seed, window in enumerate(windows):
        for hit in draw([(0.2, 5_000)], seed):
            add_value(window, hit)
    assert sum(window.n_changes.sum() for window in windows) <= 1
