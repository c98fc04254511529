"""Ids: 64-bit hashes, the same in every partition, and the slots that stand for them here."""

from __future__ import annotations

import numpy as np
import xxhash
from numpy.typing import NDArray

from stream_rec.model.arrays import doubled


def hash_id(text: str) -> int:
    """Return the 64-bit hash of an id (XXH3 of its UTF-8 bytes), never 0.

    Examples
    --------
    >>> hash_id("alien")
    3358475142142048075
    """
    return xxhash.xxh3_64_intdigest(text.encode()) or 1


class ItemIds:
    """Item slots in order of first sight: hash → slot, and back to hash and text.

    Two ids with the same hash would be one item; with 10 million items the odds of a single such
    pair are 1 : 370,000.
    """

    def __init__(self) -> None:
        self.hashes: NDArray[np.uint64] = np.zeros(1024, np.uint64)
        self.texts: list[str] = []
        self._slot_by_hash: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def slot(self, text: str) -> int:
        """Return the slot of an item, giving it one if it is new.

        An item known only by its hash so far gets its text.
        """
        return self.set_text(hash_id(text), text)

    def find(self, text: str) -> int | None:
        """Return the slot of an item, None if it is not known."""
        return self._slot_by_hash.get(hash_id(text))

    def slots_of_hashes(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the slots of many items (int32, in the order given).

        Those not known get one; their text may come later.
        """
        distinct, inverse = np.unique(hashes, return_inverse=True)
        slots = np.fromiter((self._slot(int(h), "") for h in distinct), np.int32, len(distinct))
        return slots[inverse.reshape(-1)]

    def set_text(self, item_hash: int, text: str) -> int:
        """Note the text of an item known by its hash and return its slot."""
        slot = self._slot(item_hash, text)
        self.texts[slot] = text
        return slot

    def _slot(self, item_hash: int, text: str) -> int:
        slot = self._slot_by_hash.get(item_hash)
        if slot is None:
            slot = len(self.texts)
            self._slot_by_hash[item_hash] = slot
            self.texts.append(text)
            if slot >= len(self.hashes):
                larger = np.zeros(doubled(len(self.hashes), slot + 1), np.uint64)
                larger[:slot] = self.hashes
                self.hashes = larger
            self.hashes[slot] = item_hash
        return slot
