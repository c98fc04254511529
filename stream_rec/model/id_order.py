"""The order of ids: which item stands before and behind each."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from sortedcontainers import SortedList

from stream_rec.kernels.item_rows import NO_ITEM
from stream_rec.model.growing import extended
from stream_rec.model.ids import ItemIds

_NUMBER = re.compile("[0-9]+")
_LENGTH_MAX = 0xD7FF
"""The last character before those that stand for no character."""


def natural_key(text: str) -> str:
    """Return a key by which ids are sorted as people do: numbers in them by their size.

    Each number is preceded by a character that stands for its length.

    Examples
    --------
    >>> sorted(["a10", "b1", "a9b", "a09a"], key=natural_key)
    ['a09a', 'a9b', 'a10', 'b1']
    """
    return _NUMBER.sub(_with_length, text)


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0")
    return chr(min(len(digits), _LENGTH_MAX)) + digits


class IdOrder:
    """Items in the natural order of their ids, kept up as ids come.

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
        self._sorted: SortedList[tuple[str, str, int]] = SortedList()

    def lengthen(self, n_items: int) -> None:
        """Make room for more items."""
        self.beside = extended(self.beside, n_items, NO_ITEM)

    def enter_new(self, ids: ItemIds) -> None:
        """Give their place to items that got their id since the last time; there is room for them.

        Parameters
        ----------
        ids : ItemIds
            The same every time.
        """
        texts = ids.texts
        entries = [(natural_key(texts[slot]), texts[slot], slot) for slot in ids.take_newly_named()]
        if 4 * len(entries) > len(self._sorted):  # where the list sorts all anew, too
            self._sorted.update(entries)
            self._link_all()
            return
        for entry in entries:
            self._enter_one(entry)

    def _enter_one(self, entry: tuple[str, str, int]) -> None:
        at, slot = self._sorted.bisect_left(entry), entry[2]
        if at > 0:
            self._link(self._sorted[at - 1][2], slot)
        if at < len(self._sorted):
            self._link(slot, self._sorted[at][2])
        self._sorted.add(entry)

    def _link(self, before: int, behind: int) -> None:
        self.beside[before, 1] = behind
        self.beside[behind, 0] = before

    def _link_all(self) -> None:
        slots = np.fromiter((slot for _, _, slot in self._sorted), np.int32, len(self._sorted))
        self.beside[slots[1:], 0] = slots[:-1]
        self.beside[slots[:-1], 1] = slots[1:]
