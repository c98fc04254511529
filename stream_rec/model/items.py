"""The item side of the model: rows per partition, their sum, growth, freezing and loading."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.decay import add_log2
from stream_rec.kernels.item_rows import (
    BIAS_SQUARES_START,
    NO_OFFSET,
    WEIGHT_UNIT,
    ItemRows,
    empty_item_rows,
)
from stream_rec.kernels.jit import kernel, widen
from stream_rec.kernels.links import add_link
from stream_rec.kernels.toplist import rebuild
from stream_rec.kernels.view import empty_view
from stream_rec.model.arrays import copy_into, doubled
from stream_rec.model.ids import ItemIds
from stream_rec.model.item_codec import (
    decode_id,
    decode_items,
    encode_id,
    encode_items,
    item_slots,
    linked_hashes,
    read_heads,
)
from stream_rec.model.ratings import add_rating
from stream_rec.model.rows import ITEM, ITEM_ID, hash_of_key

FIRST_ITEMS = 1024
FIRST_LINK_PLACES = 65_536


class Items:
    """Item rows of the open partitions and the view over them.

    Parameters
    ----------
    n_half_lives, n_factors, links_max : int
    separate : bool
        Whether the view is kept apart from the rows: needed as soon as there is more than one
        partition.

    Attributes
    ----------
    ids : ItemIds
    view : ItemView
    own : dict of int to ItemRows
        By partition.
    """

    def __init__(
        self, n_half_lives: int, n_factors: int, links_max: int, *, separate: bool
    ) -> None:
        self.ids = ItemIds()
        self.separate = separate
        self._n_factors = n_factors
        self._n_half_lives = n_half_lives
        self._links_max = links_max
        self._size = FIRST_ITEMS
        self.own: dict[int, ItemRows] = {}
        self.view = empty_view(self._empty_rows(FIRST_LINK_PLACES), n_factors)

    def open_partition(self, partition: int) -> ItemRows:
        """Begin with empty rows of a partition."""
        rows = self._empty_rows(FIRST_LINK_PLACES) if self.separate else self.view.rows
        self.own[partition] = rows
        return rows

    def close_partition(self, partition: int) -> None:
        """Forget the rows of a partition; the view becomes the sum of the others."""
        del self.own[partition]
        self.sum_up()

    @property
    def size(self) -> int:
        """Item slots allocated."""
        return self._size

    def reserve_items(self) -> bool:
        """Make the columns as long as there are ids; return whether they had to grow."""
        if len(self.ids) <= self._size:
            return False
        self._size = doubled(self._size, len(self.ids))
        if self.separate:
            self.own = {p: self._grown(rows) for p, rows in self.own.items()}
            rows = self._grown(self.view.rows)
        else:
            rows = self._grown(self.view.rows)
            self.own = dict.fromkeys(self.own, rows)
        larger = empty_view(rows, self._n_factors)
        copy_into(larger[1:], self.view[1:])
        self.view = larger
        return True

    def reserve_links(self, partition: int, n_places: int) -> None:
        """Make room for `n_places` more link places in a partition's rows and the view's."""
        rows = self.own[partition] = self._with_link_places(self.own[partition], n_places)
        if self.separate:
            rows = self._with_link_places(self.view.rows, n_places)
        self.view = self.view._replace(rows=rows)

    def n_dirty(self, partition: int) -> int:
        """Return how many item rows of a partition changed since they were last frozen."""
        return int(np.count_nonzero(self.own[partition].dirty))

    def freeze(self, partition: int) -> list[tuple[bytes, bytes]]:
        """Return the changed rows of a partition, encoded; from now on they count as unchanged.

        With them go the ids of all items whose id is not durable, changed or not: after a crash an
        item's row may be durable without its id.
        """
        rows = self.own[partition]
        dirty = np.flatnonzero(rows.dirty)
        unnamed = np.flatnonzero((rows.named == 0) & (rows.applied > NO_OFFSET))
        unnamed = np.array([slot for slot in unnamed if self.ids.texts[slot]], np.int64)
        frozen = [encode_id(self.ids, slot) for slot in unnamed.tolist()]
        frozen += encode_items(rows, self.ids, dirty)
        rows.dirty[dirty] = 0
        rows.named[unnamed] = 1
        return frozen

    def load(self, partition: int, encoded: Iterable[tuple[bytes, bytes]]) -> None:
        """Set a partition's rows from their encoded form; the caller sums up afterwards.

        Raises
        ------
        RowFormatError
            Nothing is changed then.
        """
        texts: list[tuple[int, str]] = []
        keys: list[bytes] = []
        values: list[bytes] = []
        for key, value in encoded:
            if key[:1] == ITEM_ID:
                texts.append((hash_of_key(key), decode_id(key, value)))
            elif key[:1] == ITEM:
                keys.append(key)
                values.append(value)
        head = read_heads(keys, values, self._n_half_lives, self._n_factors)
        named = [self.ids.set_text(item_hash, text) for item_hash, text in texts]
        if keys:
            item_slots(self.ids, keys)
            self.ids.slots_of_hashes(linked_hashes(head, values))
            self.reserve_items()
            self.reserve_links(partition, int(4 * head["n_links"].sum()) + 16 * len(keys))
            decode_items(self.own[partition], self.ids, keys, values, self._links_max)
        self.reserve_items()
        self.own[partition].named[named] = 1

    def sum_up(self) -> None:
        """Compute the view anew: the sum of all rows, and what is derived from it."""
        n_items = len(self.ids)
        if self.separate:
            # All blocks that a growing row passes through take less than four times its links.
            n_places = 4 * sum(int(rows.links.used[0]) for rows in self.own.values())
            total = self._empty_rows(doubled(FIRST_LINK_PLACES, n_places))
            for partition in sorted(self.own):
                add_rows(total, self.own[partition], n_items, self.ids.hashes, self._links_max)
            self.view = self.view._replace(rows=total)
        elif not self.own:
            self.view = self.view._replace(rows=self._empty_rows(FIRST_LINK_PLACES))
        self._derive(n_items)

    def _derive(self, n_items: int) -> None:
        view, rows = self.view, self.view.rows
        count = rows.taken[:n_items] / WEIGHT_UNIT
        keys = view.top.keys
        keys[:] = -np.inf
        keys[:n_items, : self._n_half_lives] = rows.popularity[:n_items]
        with np.errstate(divide="ignore"):
            keys[:n_items, self._n_half_lives] = np.log2(count)
        seen = np.isfinite(rows.first_s[:n_items])
        keys[:n_items, self._n_half_lives + 1] = np.where(seen, rows.first_s[:n_items], -np.inf)
        view.n_seen[0] = np.count_nonzero(seen)
        rebuild(view.top, n_items)
        for which in range(self._n_half_lives + 1):
            view.total[which] = np.logaddexp2.reduce(keys[:n_items, which], initial=-np.inf)
        view.damping[:] = 1.0
        view.damping[:n_items][count > 0] = count[count > 0] ** -0.25

    def _empty_rows(self, n_places: int) -> ItemRows:
        return empty_item_rows(
            self._size, self._n_half_lives, self._n_factors, n_places, self._links_max
        )

    def _grown(self, rows: ItemRows) -> ItemRows:
        return copy_into(self._empty_rows(len(rows.links.neighbour)), rows)

    def _with_link_places(self, rows: ItemRows, n_places: int) -> ItemRows:
        needed = int(rows.links.used[0]) + n_places
        if needed <= len(rows.links.neighbour):
            return rows
        return copy_into(self._empty_rows(doubled(len(rows.links.neighbour), needed)), rows)


@kernel
def add_rows(
    total: ItemRows, rows: ItemRows, n_items: int, hashes: NDArray[np.uint64], links_max: int
) -> None:
    """Add a partition's rows to the view's; what is learned by gradient adds as value − start."""
    for i in range(n_items):
        total.taken[i] += rows.taken[i]
        total.first_s[i] = min(total.first_s[i], rows.first_s[i])
        total.last_s[i] = max(total.last_s[i], rows.last_s[i])
        for h in range(rows.popularity.shape[1]):
            total.popularity[i, h] = add_log2(total.popularity[i, h], rows.popularity[i, h])
        total.bias[i] += rows.bias[i]
        total.bias_squares[i] += rows.bias_squares[i] - np.float32(BIAS_SQUARES_START)
        for x in range(rows.evidence.shape[1]):
            total.evidence[i, x] += rows.evidence[i, x]
        add_rating(total.rating[i], rows.rating[i], hashes[i])
        links = rows.links
        for place in range(links.start[i], links.start[i] + links.length[i]):
            add_link(
                total.links,
                i,
                widen(links.neighbour[place]),
                widen(links.near[place]),
                widen(links.wide[place]),
                widen(links.after[place]),
                links_max,
                hashes[i],
            )
