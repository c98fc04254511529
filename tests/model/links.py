"""The links of an engine's view, by the ids of the items."""

from __future__ import annotations

from stream_rec.model.engine import Engine
from tests.kernels.link_oracle import Counts, links_of


def link_counts(engine: Engine) -> dict[tuple[str, str], Counts]:
    """Return ``{(item, neighbour): (near, wide, after)}``."""
    links, texts = engine.items.view.rows.links, engine.items.ids.texts
    return {
        (texts[j], texts[neighbour]): counts
        for j in range(len(texts))
        for neighbour, counts in links_of(links, j).items()
    }
