"""A restart changes no list: what is derived from the rows is after it what it was before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, EventType, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import Run
from tests.model.logs import records_of

START_S = 1_700_000_000.0
WEIGHTS = {"glance": 0.0625, "look": 0.25, "click": 1.0, "buy": 4.0, "reject": -1.0}
EVENTS = EventSettings(
    builtin_types=False, types={name: EventType(weight=weight) for name, weight in WEIGHTS.items()}
)
events = st.builds(
    Event,
    user=st.sampled_from("abc"),
    item=st.sampled_from("uvwxyz"),
    type=st.sampled_from(sorted(WEIGHTS)),
    ts=st.integers(0, 40).map(lambda minutes: START_S + 60.0 * minutes),
)


def opened(n_partitions: int) -> Engine:
    return Engine(ModelSettings(), EVENTS, source_topic="events", n_partitions=n_partitions)


@pytest.mark.parametrize("n_partitions", [1, 2])
@given(log=st.lists(events, min_size=1, max_size=30))
def test_a_restart_leaves_the_view_as_it_is(n_partitions: int, log: list[Event]) -> None:
    """Events may come late and may weigh less than one."""
    live, restarted = opened(n_partitions), opened(n_partitions)
    live.open_partition(0)
    live.process([Run(0, records_of(log))], 7)
    frozen = live.freeze(0)
    restarted.open_partition(0, frozen.items, frozen.offset)

    texts = live.items.ids.texts
    slots = np.array([restarted.items.ids.find(text) for text in texts])
    before, after = live.items.view, restarted.items.view
    assert after.damping[slots] == pytest.approx(before.damping[: len(texts)], rel=1e-6)
    assert after.top.keys[slots] == pytest.approx(before.top.keys[: len(texts)], rel=1e-9)
    newest = [view.top.keys[view.top.items[-1, : len(texts)], -1] for view in (before, after)]
    assert newest[0].tolist() == newest[1].tolist() == sorted(newest[0], reverse=True)
