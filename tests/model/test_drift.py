"""Where the hit rate falls by much the ranker forgets how sure it was, and so learns faster."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.adaptive_window import AdaptiveWindow, add_value, empty_window, mean_of
from stream_rec.model.batch import NOT_SCORED
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.learning import LARGE_FALL
from stream_rec.model.runs import EventRun
from tests.model.logs import made_up_events

SETTINGS = ModelSettings(links_per_item_max=8, history_length=6, list_length=3)
N_BEFORE, N_AFTER = 2_000, 400


def changing_events() -> list[Event]:
    """Return events that can be foreseen, and after them such that cannot: each on a new item."""
    before = made_up_events(N_BEFORE, n_users=200, n_items=12)
    latest_s = before[-1].ts or 0.0
    after = [
        Event(user=f"u{x % 20}", item=f"new{x}", type="click", ts=latest_s + 60.0 * x)
        for x in range(N_AFTER)
    ]
    return before + after


def opened(n_partitions: int) -> Engine:
    engine = Engine(SETTINGS, EventSettings(), source_topic="events", n_partitions=n_partitions)
    for partition in range(n_partitions):
        engine.open_partition(partition)
    return engine


def test_sums_of_squares_shrink_where_hits_became_much_fewer_and_only_there() -> None:
    engine, window = opened(1), empty_window()
    squares = engine.weights.view.ranker.output_squares
    shrunk, expected = [], []
    for x, event in enumerate(changing_events()):
        before = squares.copy()
        rank = int(engine.fold([EventRun(0, [event], [x])], publish=False).rank[0])
        if (squares < before).any():
            shrunk.append(x)
        if rank == NOT_SCORED:
            continue
        change = add_value(window, 0 <= rank < SETTINGS.list_length)
        if change < 0.0 and mean_of(window) < LARGE_FALL * (mean_of(window) - change):
            expected.append(x)
    assert shrunk == expected
    assert min(shrunk) >= N_BEFORE
    for ours, theirs in zip(window, engine.weights.own[0].hits, strict=True):
        assert np.array_equal(ours, theirs)


def test_only_the_partition_whose_hits_became_fewer_forgets() -> None:
    engine = opened(2)
    for x, event in enumerate(made_up_events(300)):
        engine.fold([EventRun(1, [event], [x])], publish=False)
    other = engine.weights.own[1].ranker.output_squares.copy()
    squares_of_0 = engine.weights.own[0].ranker.output_squares
    has_forgotten = False
    for x, event in enumerate(changing_events()):
        before = squares_of_0.copy()
        engine.fold([EventRun(0, [event], [x])], publish=False)
        has_forgotten |= bool((squares_of_0 < before).any())
    assert has_forgotten
    assert np.array_equal(engine.weights.own[1].ranker.output_squares, other)
    squares = sum(own.ranker.output_squares - 1.0 for own in engine.weights.own.values())
    assert engine.weights.view.ranker.output_squares - 1.0 == pytest.approx(squares, rel=1e-3)


def test_window_is_recovered_with_the_weights() -> None:
    engine, recovered = opened(2), opened(2)
    for x, event in enumerate(changing_events()):
        engine.fold([EventRun(0, [event], [x])], publish=False)
    recovered.open_partition(0, engine.freeze(0).items, N_BEFORE + N_AFTER - 1)
    windows: list[AdaptiveWindow] = [each.weights.own[0].hits for each in (engine, recovered)]
    assert windows[0].n_values[0] > 0
    assert all(map(np.array_equal, *windows))
