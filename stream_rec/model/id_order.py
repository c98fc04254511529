"""The order of ids: which item stands before and behind each.

It holds the items that are listed, that is, seen and known by name, and while events are folded
those that these may bring. What is named and never seen must not stay: rankings pass over it, and
would take the longer the more of it whoever writes to the topic makes up.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sortedcontainers import SortedList

from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.model.growing import extended
from stream_rec.model.ids import ItemIds

_NUMBER = re.compile("[0-9]+")

Entry = tuple[str, str, int]
"""Key, id and slot: by the slot no two are ever compared, because ids differ."""


def natural_key(text: str) -> str:
    """Return a key by which ids are sorted by text, and numbers in them by their size.

    Each number is preceded by a character that stands for its length without zeros in front, so
    most stand before any text.

    Examples
    --------
    >>> sorted(["a10", "b1", "a9b", "a09a"], key=natural_key)
    ['a09a', 'a9b', 'a10', 'b1']
    """
    return _NUMBER.sub(_with_length, text)


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0")
    return chr(len(digits)) + digits


def _entry(ids: ItemIds, slot: int) -> Entry:
    text = ids.texts[slot]
    return natural_key(text), text, slot


class IdOrder:
    """Items in the natural order of their ids, kept up as they come and go.

    Where two ids have one key (07 and 7), their own order decides: it is the same in every process
    and after every restart, whichever came first.

    Parameters
    ----------
    n_items : int
        Slots there is room for.

    Attributes
    ----------
    beside : int32[N, 2]
        By slot: the item before and the item behind, NO_ITEM where there is none.
    """

    def __init__(self, n_items: int) -> None:
        self.beside: NDArray[np.int32] = np.full((n_items, 2), NO_ITEM, np.int32)
        self._is_in: NDArray[np.bool_] = np.zeros(n_items, np.bool_)
        self._sorted: SortedList[Entry] = SortedList()
        self._waiting: list[NDArray[np.int64]] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def lengthen(self, n_items: int) -> None:
        """Make room for more items."""
        self.beside = extended(self.beside, n_items, NO_ITEM)
        self._is_in = extended(self._is_in, n_items)

    def expect(self, slots: NDArray[np.int64]) -> None:
        """Let items wait until the order is needed: many at once take a tenth of the time."""
        if not self._is_in[slots].all():
            self._waiting.append(slots)

    def enter_waiting(self, ids: ItemIds) -> None:
        """Enter the items that wait."""
        if self._waiting:
            waiting, self._waiting = np.concatenate(self._waiting), []
            self.enter(ids, waiting)

    def enter(self, ids: ItemIds, slots: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Give their place to items that have none, and return these.

        Parameters
        ----------
        ids : ItemIds
        slots : integers
            Those without an id are left out.
        """
        known = slots[slots < len(ids)].astype(np.int64)
        new = known[~self._is_in[known]]
        if not len(new):
            return new
        new = np.unique(new[ids.is_named[new]])
        self._is_in[new] = True
        entries = [_entry(ids, slot) for slot in new.tolist()]
        if 4 * len(entries) > len(self._sorted):  # where the list sorts all anew, too
            self._sorted.update(entries)
            self._link_all()
        else:
            for entry in entries:
                self._enter_one(entry)
        return new

    def leave(self, ids: ItemIds, slots: NDArray[np.int64]) -> None:
        """Take items out, those that are in it; each slot is given once."""
        gone = slots[self._is_in[slots]]
        self._is_in[gone] = False
        if 4 * len(gone) > len(self._sorted):
            self._sorted = SortedList(entry for entry in self._sorted if self._is_in[entry[2]])
            self.beside[gone] = NO_ITEM
            self._link_all()
            return
        for slot in gone.tolist():
            self._sorted.remove(_entry(ids, slot))
            before, behind = self.beside[slot].tolist()
            self._link(before, behind)
            self.beside[slot] = NO_ITEM

    def _enter_one(self, entry: Entry) -> None:
        at, slot = self._sorted.bisect_left(entry), entry[2]
        before = self._sorted[at - 1][2] if at > 0 else NO_ITEM
        behind = self._sorted[at][2] if at < len(self._sorted) else NO_ITEM
        self._link(before, slot)
        self._link(slot, behind)
        self._sorted.add(entry)

    def _link(self, before: int, behind: int) -> None:
        if before != NO_ITEM:
            self.beside[before, 1] = behind
        if behind != NO_ITEM:
            self.beside[behind, 0] = before

    def _link_all(self) -> None:
        slots = np.fromiter((slot for _, _, slot in self._sorted), np.int32, len(self._sorted))
        self.beside[slots[1:], 0] = slots[:-1]
        self.beside[slots[:-1], 1] = slots[1:]
        if len(slots):
            self.beside[slots[0], 0] = self.beside[slots[-1], 1] = NO_ITEM
