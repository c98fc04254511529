"""Ids: 64-bit hashes, the same in every partition, and the slots that stand for them here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import xxhash
from numpy.typing import NDArray

from stream_rec.model.arrays import doubled

NO_SLOT = -1


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
        item_hash = hash_id(text)
        slot = self._slot_by_hash.get(item_hash)
        if slot is None:
            slot = len(self.texts)
            self._append(np.array([item_hash], np.uint64))
        self.texts[slot] = text
        return slot

    def find(self, text: str) -> int | None:
        """Return the slot of an item, None if it is not known."""
        return self._slot_by_hash.get(hash_id(text))

    def slots_of_hashes(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the slots of many items (int32, in the order given).

        Those not known get one; their text may come later.
        """
        slots = self._known_slots(hashes)
        is_new = slots == NO_SLOT
        if is_new.any():
            self._append(np.unique(hashes[is_new]))
            slots[is_new] = self._known_slots(hashes[is_new])
        return slots

    def set_texts(self, hashes: NDArray[np.uint64], texts: Sequence[str]) -> NDArray[np.int32]:
        """Note the texts of items known by their hashes and return their slots."""
        slots = self.slots_of_hashes(hashes)
        for slot, text in zip(slots.tolist(), texts, strict=True):
            self.texts[slot] = text
        return slots

    def _known_slots(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        slots = map(self._slot_by_hash.get, hashes.tolist(), repeat(NO_SLOT))
        return np.fromiter(slots, np.int32, len(hashes))

    def _append(self, hashes: NDArray[np.uint64]) -> None:
        """Give the next slots to items that have none, each named once."""
        first, end = len(self.texts), len(self.texts) + len(hashes)
        if end > len(self.hashes):
            larger = np.zeros(doubled(len(self.hashes), end), np.uint64)
            larger[:first] = self.hashes[:first]
            self.hashes = larger
        self.hashes[first:end] = hashes
        self.texts.extend([""] * len(hashes))
        self._slot_by_hash.update(zip(hashes.tolist(), range(first, end), strict=True))
