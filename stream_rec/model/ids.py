"""Ids: 64-bit hashes, the same in every partition, and the slots that stand for them here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

from stream_rec.kernels.hash_index import (
    EMPTY,
    empty_index,
    find,
    find_all,
    find_or_add,
    with_slots,
)
from stream_rec.model.growing import lengthened

FIRST_IDS = 1024


def hash_id(text: str) -> int:
    """Return the 64-bit hash of an id (XXH3 of its UTF-8 bytes), never 0.

    Examples
    --------
    >>> hash_id("alien")
    3358475142142048075
    """
    return xxhash.xxh3_64_intdigest(text.encode()) or 1


def hash_ids(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return the hashes of many ids, as `hash_id` does."""
    return np.fromiter(map(hash_id, texts), np.uint64, len(texts))


class ItemIds:
    """Item slots in order of first sight: hash → slot, and back to hash and text.

    Two ids with the same hash would be one item; with 10 million items the odds of a single such
    pair are 1 : 370,000.

    Attributes
    ----------
    texts : list of str
        By slot, empty where an item is known only by its hash.
    is_named : bool[N]
        Whether an item has its text; N, here and in `hashes`, is at least the number of slots.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_named: NDArray[np.bool_] = np.zeros(FIRST_IDS, np.bool_)
        self._index = empty_index(FIRST_IDS)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """Hashes by slot: uint64[N]."""
        return self._index.hashes

    def find(self, text: str) -> int | None:
        """Return the slot of an item, None if it is not known."""
        slot = int(find(self._index, np.uint64(hash_id(text))))
        return None if slot == EMPTY else slot

    def known(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the slots of those items that are known, in the order given."""
        slots: NDArray[np.int32] = np.empty(len(texts), np.int32)
        find_all(self._index, hash_ids(texts), slots)
        known: NDArray[np.int32] = slots[slots != EMPTY]
        return known

    def slot(self, text: str) -> int:
        """Return the slot of an item, giving it one if it is new; `slots` for one."""
        return int(self.slots([text])[0])

    def slots(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the slots of items (int32, in the order given), giving one to those new.

        An item known only by its hash so far gets its text.
        """
        return self.set_texts(hash_ids(texts), texts)

    def slots_of_hashes(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the slots of many items (int32, in the order given).

        Those not known get one; their text may come later.
        """
        slots = np.empty(len(hashes), np.int32)
        done, n_used = find_or_add(self._index, len(self), hashes, slots, 0)
        while done < len(hashes):
            self._lengthen(n_used)
            done, n_used = find_or_add(self._index, n_used, hashes, slots, done)
        if n_used > len(self):
            self.texts.extend([""] * (n_used - len(self)))
        return slots

    def set_texts(self, hashes: NDArray[np.uint64], texts: Sequence[str]) -> NDArray[np.int32]:
        """Note the texts of items known by their hashes and return their slots."""
        slots = self.slots_of_hashes(hashes)
        is_named = self.is_named[slots]
        if not is_named.all():
            for x in np.flatnonzero(~is_named).tolist():
                self.texts[slots[x]] = texts[x]
            self.is_named[slots] = True
        return slots

    def _lengthen(self, n_used: int) -> None:
        """Make room for twice as many ids."""
        self._index = with_slots(self._index, n_used, 2 * n_used)
        self.is_named = lengthened(self.is_named, len(self.hashes))
