"""What is taken in one session counts as near; what came in a session before, an eighth of that."""

from __future__ import annotations

import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.profiles import SESSION_GAP_S
from stream_rec.kernels.sources import AFTER_UNIT
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import EventRun
from tests.kernels.link_oracle import Counts
from tests.model.links import link_counts

GAP_S = SESSION_GAP_S + 1.0
LIGHT = 0.4


def links_after(*times_s: float, weight: float = 1.0) -> dict[tuple[str, str], Counts]:
    """Return near, wide and after of the links of items a, b, … that a user took at these times."""
    settings = EventSettings()
    kinds = {"click": settings.types["click"].model_copy(update={"weight": weight})}
    settings = settings.model_copy(update={"types": kinds})
    engine = Engine(ModelSettings(), settings, source_topic="log", n_partitions=1)
    engine.open_partition(0)
    events = [
        Event(user="ann", item="abcdef"[x], type="click", value=None, ts=1e9 + time_s)
        for x, time_s in enumerate(times_s)
    ]
    engine.fold([EventRun(0, events, range(len(events)))], publish=False)
    return link_counts(engine)


@pytest.mark.parametrize(
    ("gap_s", "near"), [(SESSION_GAP_S, 16), (GAP_S, 2), (-SESSION_GAP_S, 16), (-86_400.0, 2)]
)
def test_near_is_what_one_session_holds_and_else_an_eighth(gap_s: float, near: int) -> None:
    assert WEIGHT_UNIT == 16
    assert links_after(0.0, gap_s) == {
        ("a", "b"): (near, 16, near * AFTER_UNIT),
        ("b", "a"): (near, 16, 0),
    }


def test_a_session_is_a_chain_of_short_gaps() -> None:
    links = links_after(0.0, GAP_S, 2 * GAP_S - 2.0)
    assert (links["b", "c"][0], links["a", "c"][0], links["a", "b"][0]) == (16, 2, 2)
    assert links["a", "c"] == (2, 16, 2 * AFTER_UNIT // 2)


def test_an_event_of_little_weight_still_says_that_both_were_taken() -> None:
    assert links_after(0.0, GAP_S, weight=LIGHT)["b", "a"] == (1, round(LIGHT * WEIGHT_UNIT), 0)
