"""Item rows that grow: what was there stays, what is new has not been seen."""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.item_rows import OWN_COLUMNS, empty_item_rows, with_items


def test_longer_rows_keep_what_was_there_and_add_unseen_items() -> None:
    rows = empty_item_rows(3, n_half_lives=2, n_factors=4, n_link_places=8, links_max=8)
    for name in OWN_COLUMNS:
        getattr(rows, name)[:] = 7
    rows.links.start[:], rows.links.neighbour[:] = [0, 2, 5], np.arange(8)
    longer = with_items(rows, 5)
    unseen = empty_item_rows(5, n_half_lives=2, n_factors=4, n_link_places=8, links_max=8)
    for name in OWN_COLUMNS:
        assert (getattr(longer, name)[:3] == 7).all(), name
        assert (getattr(longer, name)[3:] == getattr(unseen, name)[3:]).all(), name
    assert longer.links.start.tolist() == [0, 2, 5, 0, 0]
    assert longer.links.length.tolist() == [0] * 5
    assert longer.links.neighbour.tolist() == list(range(8))
