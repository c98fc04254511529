"""How many took both of two items: what a reason says beside the item that led to another."""

from __future__ import annotations

from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.model.engine import Engine


def had_both(engine: Engine, item: str, other: str) -> int:
    """Return how many took both items while the first was in their history.

    Events count with the weight of their type, and who takes one again a sixteenth. It is 0 for a
    link that is not kept (`model.links_per_item_max`).
    """
    slot, other_slot = (engine.items.ids.find(each) for each in (item, other))
    if slot is None or other_slot is None:
        return 0
    links = engine.reading().items.rows.links
    row = slice(links.start[slot], links.start[slot] + links.length[slot])
    weight = links.wide[row][links.neighbour[row] == other_slot].sum()
    return round(int(weight) / WEIGHT_UNIT)
