"""The item side of the model: rows per partition, their sum, growth, freezing and loading.

Rows of owned partitions are folded into; rows of followed partitions, which other processes own,
are set from their changelogs. The view is the sum of both. A row that is set has its item wait
until `refresh` sums it up anew, so an item that changed in many partitions is summed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import NO_OFFSET, WEIGHT_UNIT, ItemRows, empty_item_rows
from stream_rec.kernels.toplist import rebuild, rebuild_list
from stream_rec.kernels.view import ItemView, empty_view, refresh_items
from stream_rec.model.arrays import stretches
from stream_rec.model.followed import FollowedRows
from stream_rec.model.growing import extended, more, with_derived, with_items, with_link_places
from stream_rec.model.id_order import IdOrder
from stream_rec.model.ids import ItemIds
from stream_rec.model.item_codec import (
    Decoded,
    decode_ids,
    decode_items,
    encode_ids,
    encode_items,
    find_slots,
    read_items,
    rows_of_kind,
)
from stream_rec.model.rows import ITEM, ITEM_ID, hashes_of_keys
from stream_rec.model.summing import Part, count_links, link_places, sum_items
from stream_rec.model.waiting import WaitingItems

FIRST_ITEMS = 1024
FIRST_LINK_PLACES = 65_536
SUMMED_AT_ONCE_MAX = 512
"""Items whose links are gathered at a time: bounds the memory that summing takes."""

EncodedRow = tuple[bytes, bytes | None]


class Items:
    """Item rows of the open and the followed partitions, and the view over them.

    Parameters
    ----------
    n_half_lives, n_factors, links_max : int
    separate : bool
        Whether the view is kept apart from the rows: needed as soon as there is more than one
        partition, or none is owned.

    Attributes
    ----------
    ids : ItemIds
    view : ItemView
    own : dict of int to ItemRows
        By partition.
    followed : dict of int to FollowedRows
        By partition.
    """

    def __init__(
        self, n_half_lives: int, n_factors: int, links_max: int, *, separate: bool
    ) -> None:
        self.ids = ItemIds()
        self.order = IdOrder(FIRST_ITEMS)
        self.separate = separate
        self._n_factors = n_factors
        self._n_half_lives = n_half_lives
        self._links_max = links_max
        self._size = FIRST_ITEMS
        self._waiting = WaitingItems(FIRST_ITEMS)
        self._marks: NDArray[np.int32] = np.zeros(FIRST_ITEMS, np.int32)
        self.own: dict[int, ItemRows] = {}
        self.followed: dict[int, FollowedRows] = {}
        self.view = self._empty_view()

    def open_partition(self, partition: int) -> ItemRows:
        """Begin with empty rows of a partition; the caller refreshes the view."""
        self.close_partition(partition)
        empty = self._empty_rows(FIRST_LINK_PLACES) if self.separate else self.view.rows
        return self.own.setdefault(partition, empty)

    def close_partition(self, partition: int) -> None:
        """Forget the rows of a partition, owned or followed; the caller refreshes the view."""
        own, followed = self.own.pop(partition, None), self.followed.pop(partition, None)
        if own is not None and self.separate:
            self._waiting.add(np.flatnonzero(own.applied > NO_OFFSET))
        elif own is not None:
            self.view = self._empty_view()
        if followed is not None:
            self._waiting.add(followed.slots)

    def follow_partition(self, partition: int) -> None:
        """Begin to follow a partition: with the rows that it has if it was owned, else with none.

        Raises
        ------
        ValueError
            The view is not kept apart.
        """
        if not self.separate:
            raise ValueError("expected an engine of several partitions, or one that only reads")
        followed = FollowedRows(self._size, self._n_half_lives, self._n_factors, self._links_max)
        own = self.own.pop(partition, None)
        if own is not None:
            followed.take_over(own)
        else:
            self.close_partition(partition)
        self.followed[partition] = followed

    @property
    def size(self) -> int:
        """Item slots allocated."""
        return self._size

    @property
    def n_waiting(self) -> int:
        """Items whose view is older than their rows."""
        return len(self._waiting)

    def reserve_items(self) -> None:
        """Make the columns as long as there are ids."""
        if len(self.ids) <= self._size:
            return
        self._size = more(self._size, len(self.ids))
        rows = with_items(self.view.rows, self._size)
        self.own = {
            p: with_items(own, self._size) if self.separate else rows for p, own in self.own.items()
        }
        for followed in self.followed.values():
            followed.lengthen(self._size)
        self.order.lengthen(self._size)
        self.view = with_derived(self.view, rows, self.order.beside)
        self._marks = extended(self._marks, self._size)
        self._waiting.lengthen(self._size)

    def reserve_links(self, partition: int, n_places: int) -> None:
        """Make room for `n_places` more link places in a partition's rows and the view's."""
        self._reserve_own_links(partition, n_places)
        if self.separate:
            self._reserve_view_links(n_places)

    def n_dirty(self, partition: int) -> int:
        """Return how many item rows of a partition changed since they were last frozen."""
        return int(np.count_nonzero(self.own[partition].dirty))

    def freeze_in_parts(self, partition: int, rows_max: int) -> Iterator[list[tuple[bytes, bytes]]]:
        """Yield the rows of a partition that have changed, encoded, so many at a time.

        Each is as it is when it is yielded, and counts as unchanged then. Before them come the ids
        of all items whose id is not durable, changed or not: after a crash an item's row may be
        durable without its id.
        """
        rows = self.own[partition]
        seen, is_named = rows.applied > NO_OFFSET, self.ids.is_named[: len(rows.named)]
        for slots in stretches(np.flatnonzero(seen & (rows.named == 0) & is_named), rows_max):
            self.own[partition].named[slots] = 1
            yield encode_ids(self.ids, slots)
        for slots in stretches(np.flatnonzero(self.own[partition].dirty), rows_max):
            rows = self.own[partition]  # others, where they have grown meanwhile
            rows.dirty[slots] = 0
            yield encode_items(rows, self.ids, slots)

    def load(self, partition: int, encoded: Iterable[EncodedRow]) -> None:
        """Set an owned partition's rows from their encoded form; the caller refreshes the view.

        Raises
        ------
        RowFormatError
            Nothing is changed then.
        """
        decoded, named = self._decode(list(encoded))
        self.reserve_items()
        self._reserve_own_links(partition, decoded.link_places)
        decode_items(self.own[partition], decoded.slots.astype(np.int64), decoded, self._links_max)
        self.own[partition].named[named] = 1
        self._waiting.add(decoded.slots)

    def stage(self, partition: int, encoded: Iterable[EncodedRow]) -> None:
        """Set rows of a followed partition as its changelog has them; None removes a row.

        Items that changed wait for `refresh`.

        Raises
        ------
        RowFormatError
            Nothing is changed then.
        """
        rows = list(dict(encoded).items())
        removed = [key for key, value in rows if value is None and key[:1] == ITEM]
        removed_hashes = hashes_of_keys(removed)
        decoded, named = self._decode(rows)
        removed_slots = self.ids.slots_of_hashes(removed_hashes)
        self.reserve_items()
        followed = self.followed[partition]
        followed.clear(removed_slots)
        places = followed.reserve(decoded.slots, decoded.link_places)
        decode_items(followed.rows, places, decoded, self._links_max)
        for changed in (decoded.slots, removed_slots, named):
            self._waiting.add(changed)

    def refresh(self, n_items_max: int | None = None) -> NDArray[np.int64]:
        """Sum up anew the rows of items that wait for it, at most so many; return their slots."""
        items = self._waiting.take(self.n_waiting if n_items_max is None else n_items_max)
        if not self.separate:
            self._derive(len(self.ids))
            return items
        for some in stretches(items, SUMMED_AT_ONCE_MAX):
            self._sum(some)
        list_is_short = np.zeros(len(self.view.top.items), np.bool_)
        refresh_items(self.view, items, self.ids.is_named[items], list_is_short)
        for which in np.flatnonzero(list_is_short).tolist():
            rebuild_list(self.view.top, which, len(self.ids))
        for which in np.flatnonzero(np.isnan(self.view.total)).tolist():
            self._add_up_total(which, len(self.ids))
        self.settle_order(items)
        return items

    def sum_up(self) -> None:
        """Compute the view anew: the sum of all rows, and what is derived from it."""
        self._waiting.take(self.n_waiting)
        n_items = len(self.ids)
        if self.separate:
            self.view = self.view._replace(rows=self._empty_rows(FIRST_LINK_PLACES))
            for some in stretches(np.arange(n_items), SUMMED_AT_ONCE_MAX):
                self._sum(some)
        self._derive(n_items)

    def _decode(self, encoded: list[EncodedRow]) -> tuple[Decoded, NDArray[np.int32]]:
        """Check rows and give slots to all items that they name; return those with an id, too."""
        id_keys, id_rows = rows_of_kind(encoded, ITEM_ID)
        keys, rows = rows_of_kind(encoded, ITEM)
        hashes, texts = decode_ids(id_keys, id_rows)
        fixed = read_items(keys, rows, self._n_half_lives, self._n_factors)
        named = self.ids.set_texts(hashes, texts)
        return find_slots(self.ids, keys, rows, fixed), named

    def _sum(self, items: NDArray[np.int64]) -> None:
        parts = []
        for partition in sorted([*self.own, *self.followed]):
            if partition in self.own:
                parts.append(Part(self.own[partition], items))
            else:
                followed = self.followed[partition]
                parts.append(Part(followed.rows, followed.place[items].astype(np.int64)))
        lengths = count_links(parts, len(items))
        self._reserve_view_links(link_places(lengths, self._links_max))
        total, hashes = self.view.rows, self.ids.hashes
        sum_items(total, items, parts, lengths, hashes, self._marks, self._links_max)

    def _reserve_own_links(self, partition: int, n_places: int) -> None:
        own = self.own[partition] = with_link_places(self.own[partition], n_places)
        if not self.separate and own is not self.view.rows:
            self.view = self.view._replace(rows=own)

    def _reserve_view_links(self, n_places: int) -> None:
        rows = with_link_places(self.view.rows, n_places)
        if rows is not self.view.rows:
            self.view = self.view._replace(rows=rows)

    def _derive(self, n_items: int) -> None:
        view, rows, keys = self.view, self.view.rows, self.view.top.keys
        count = rows.taken[:n_items] / WEIGHT_UNIT
        keys[:] = -np.inf
        keys[:n_items, : self._n_half_lives] = rows.popularity[:n_items]
        with np.errstate(divide="ignore"):
            keys[:n_items, self._n_half_lives] = np.log2(count)
        seen = np.isfinite(rows.first_s[:n_items]) & self.ids.is_named[:n_items]
        keys[:n_items, self._n_half_lives + 1] = rows.first_s[:n_items]
        keys[:n_items][~seen] = -np.inf
        view.n_seen[0] = np.count_nonzero(seen)
        rebuild(view.top, n_items)
        for which in range(self._n_half_lives + 1):
            self._add_up_total(which, n_items)
        view.damping[:] = 0.0
        view.damping[:n_items][seen] = np.where(count[seen] > 0.0, count[seen], 1.0) ** -0.25
        self.settle_order(np.arange(n_items))

    def settle_order(self, items: NDArray[np.int64]) -> None:
        """Let those of some items that are listed into the order of ids, the others out of it."""
        is_listed = self.view.top.keys[items, -1] > -np.inf
        self.order.leave(self.ids, items[~is_listed])
        self.order.expect(items[is_listed])

    def _add_up_total(self, which: int, n_items: int) -> None:
        keys = self.view.top.keys[:n_items, which]
        self.view.total[which] = np.logaddexp2.reduce(keys, initial=-np.inf)

    def _empty_rows(self, n_places: int) -> ItemRows:
        shape = self._n_half_lives, self._n_factors, n_places, self._links_max
        return with_items(empty_item_rows(0, *shape), self._size)

    def _empty_view(self) -> ItemView:
        rows = self._empty_rows(FIRST_LINK_PLACES)
        nothing = empty_item_rows(0, self._n_half_lives, self._n_factors, 0, self._links_max)
        return with_derived(empty_view(nothing, self._n_factors), rows, self.order.beside)
