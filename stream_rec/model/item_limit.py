"""How many items a partition may have seen: beyond it, events with yet another item are refused.

Rows of items stay in memory, so without a bound whoever makes up item ids fills it. Which event is
refused is a function of the events before it in its partition alone: a replay refuses the same.
"""

from __future__ import annotations

import numpy as np

from stream_rec.errors import InvalidEventError
from stream_rec.model.items import Items

TOO_MANY_ITEMS = "too_many_items"


class ItemLimit:
    """Keeps count of the items that owned partitions have seen.

    Counting looks at all rows, so it is done only when as many events have come in since the last
    count as there was room for then.

    Parameters
    ----------
    items : Items
    items_max : int
        For each partition.
    """

    def __init__(self, items: Items, items_max: int) -> None:
        self._items = items
        self._items_max = items_max
        self._room: dict[int, int] = {}
        self._full: set[int] = set()

    def n_seen(self, partition: int) -> int:
        """Return how many items have had an event in the partition."""
        return int(np.count_nonzero(np.isfinite(self._items.own[partition].first_s)))

    def recount(self, partition: int) -> None:
        """Count anew: the partition's rows were set from elsewhere, or may leave more room."""
        self._room[partition] = max(self._items_max - self.n_seen(partition), 0)
        self._full.discard(partition)
        if self._room[partition] == 0:
            self._full.add(partition)

    def let_in(self, partition: int, n_events: int) -> int:
        """Return how many of the next events may come in, whatever their items are.

        After 0, only events with known items may: a full partition stays full.
        """
        if self._room[partition] < n_events and partition not in self._full:
            self.recount(partition)
        n_let_in = min(n_events, self._room[partition])
        self._room[partition] -= n_let_in
        return n_let_in

    def check_known(self, partition: int, item: str) -> None:
        """Refuse an event with an item that a full partition has not seen.

        Raises
        ------
        InvalidEventError
        """
        if item and not self._has_seen(partition, item):
            raise InvalidEventError(
                TOO_MANY_ITEMS,
                f"expected one of the {self._items_max} items that partition {partition} has seen, "
                f"came the new item {item!r}: it may have no more than "
                "model.items_per_partition_max",
            )

    def _has_seen(self, partition: int, item: str) -> bool:
        slot = self._items.ids.find(item)
        first_s = self._items.own[partition].first_s
        return slot is not None and slot < len(first_s) and bool(np.isfinite(first_s[slot]))
