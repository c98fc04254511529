"""What is taken in one session counts as near; what came in a session before, an eighth of that."""

from __future__ import annotations

import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.profiles import SESSION_GAP_S
from stream_rec.kernels.sources import AFTER_UNIT
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.fold import EARLIER_SESSION_DIVISOR
from stream_rec.model.runs import EventRun


def links_after(gap_s: float) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return the links of two items that a user took with a gap between."""
    engine = Engine(ModelSettings(), EventSettings(), source_topic="log", n_partitions=1)
    engine.open_partition(0)
    events = [
        Event(user="ann", item=item, type="click", value=None, ts=1e9 + later_s)
        for item, later_s in (("first", 0.0), ("second", gap_s))
    ]
    engine.fold([EventRun(0, events, [0, 1])], publish=False)
    links, texts = engine.items.view.rows.links, engine.items.ids.texts
    return {
        (texts[j], texts[links.neighbour[p]]): (links.near[p], links.wide[p], links.after[p])
        for j in range(len(texts))
        for p in range(links.start[j], links.start[j] + links.length[j])
    }


@pytest.mark.parametrize(
    ("gap_s", "divisor"), [(SESSION_GAP_S, 1), (SESSION_GAP_S + 1.0, EARLIER_SESSION_DIVISOR)]
)
def test_near_is_what_one_session_holds(gap_s: float, divisor: int) -> None:
    click = round(EventSettings().types["click"].weight * WEIGHT_UNIT)
    assert links_after(gap_s) == {
        ("first", "second"): (click // divisor, click, click * AFTER_UNIT // divisor),
        ("second", "first"): (click // divisor, click, 0),
    }
