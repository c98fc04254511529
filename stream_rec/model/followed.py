"""Item rows of a partition that another process owns, as far as this one has read its changelog.

Only the items that the partition has seen take memory: a place in the columns is not the item's
slot, as in the rows of an owned partition, but the next free one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import OWN_COLUMNS, ItemRows, empty_item_rows
from stream_rec.kernels.links import load_links, places_of
from stream_rec.model.growing import extended, more, with_items, with_places
from stream_rec.model.summing import clear_items

FIRST_ITEMS = 64
FIRST_LINK_PLACES = 1024
NO_PLACE = -1


class FollowedRows:
    """Rows of one followed partition.

    Parameters
    ----------
    n_slots : int
        Item slots of this process.
    n_half_lives, n_factors, links_max : int

    Attributes
    ----------
    rows : ItemRows
        Over places; links name item slots.
    place : int64[n_slots]
        Of the items, NO_PLACE for those that the partition has no row of.
    """

    def __init__(self, n_slots: int, n_half_lives: int, n_factors: int, links_max: int) -> None:
        self._links_max = links_max
        self.place: NDArray[np.int32] = extended(np.zeros(0, np.int32), n_slots, NO_PLACE)
        self.rows = empty_item_rows(
            FIRST_ITEMS, n_half_lives, n_factors, FIRST_LINK_PLACES, links_max
        )
        self._n_rows = 0

    def __len__(self) -> int:
        return self._n_rows

    @property
    def slots(self) -> NDArray[np.int64]:
        """Return the slots of the items that have a row."""
        return np.flatnonzero(self.place != NO_PLACE)

    @property
    def n_bytes(self) -> int:
        """Bytes allocated, of which the operating system has given those that were written."""
        columns = [column for column in self.rows if isinstance(column, np.ndarray)]
        return sum(column.nbytes for column in (self.place, *columns, *self.rows.links))

    def lengthen(self, n_slots: int) -> None:
        """Follow the number of item slots as it grows."""
        self.place = extended(self.place, n_slots, NO_PLACE)

    def reserve(self, slots: NDArray[np.int32], n_link_places: int) -> NDArray[np.int64]:
        """Return the places of items, giving one to those without, and make room for links.

        Parameters
        ----------
        slots : int32[n]
            Each once.
        n_link_places : int
        """
        new = slots[self.place[slots] == NO_PLACE]
        self.place[new] = np.arange(self._n_rows, self._n_rows + len(new))
        self._n_rows += len(new)
        present = len(self.rows.taken)
        if self._n_rows > present:
            self.rows = with_items(self.rows, more(present, self._n_rows))
        links = with_places(self.rows.links, n_link_places)
        self.rows = self.rows._replace(links=links)
        return self.place[slots].astype(np.int64)

    def clear(self, slots: NDArray[np.int32]) -> None:
        """Make rows those of items that the partition has not seen; their places stay taken."""
        places = self.place[slots].astype(np.int64)
        clear_items(self.rows, places[places != NO_PLACE])

    def take_over(self, own: ItemRows) -> None:
        """Take the rows of a partition that has been owned until now; there must be none yet."""
        slots = np.flatnonzero(own.applied >= 0)
        lengths = own.links.length[slots].astype(np.int64)
        places = self.reserve(slots.astype(np.int32), int(np.maximum(2 * lengths, 8).sum()))
        for name in OWN_COLUMNS:
            getattr(self.rows, name)[places] = getattr(own, name)[slots]
        at = places_of(own.links, slots)
        load_links(
            self.rows.links,
            places.astype(np.int32),
            lengths,
            own.links.neighbour[at],
            own.links.near[at],
            own.links.wide[at],
            own.links.after[at],
            self._links_max,
        )
