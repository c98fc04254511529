"""The user side of the model: profiles in memory, read on demand, evicted when clean and idle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.profiles import (
    SEEN_COLUMNS,
    USER_COLUMNS,
    clear_profiles,
    empty_profile_rows,
)
from stream_rec.model.arrays import doubled
from stream_rec.model.growing import extended, more, with_rows
from stream_rec.model.ids import ItemIds
from stream_rec.model.profile_codec import blocks_needed, decode_profile, encode_profiles
from stream_rec.model.rows import PROFILE, row_key

ProfileReader = Callable[[int, list[bytes]], list[bytes | None]]
"""Reads rows of a partition's profiles store by key."""

FIRST_USERS = 1024
EVICTED_SHARE = 0.1
"""Share of the profiles in memory that makes room at a time."""
NO_PARTITION = -1


class Users:
    """A bounded cache of profiles over a store, by partition and user hash.

    A user whose events come to two partitions, as of producers that partition otherwise, is two.

    Parameters
    ----------
    history_length, duplicate_window, n_factors : int
    in_memory_max : int
        Profiles kept; more only while all of them are waiting to be frozen.
    read_profiles : ProfileReader, optional
        Without it nothing is ever evicted.

    Attributes
    ----------
    rows : ProfileRows
    hashes : uint64[U]
        Of the users at the slots.
    """

    def __init__(
        self,
        history_length: int,
        duplicate_window: int,
        n_factors: int,
        in_memory_max: int,
        ids: ItemIds,
        read_profiles: ProfileReader | None,
    ) -> None:
        shape = (history_length, duplicate_window, n_factors)
        self._empty = empty_profile_rows(1, *shape, 1)
        self._in_memory_max = in_memory_max
        self._ids = ids
        self._read = read_profiles
        self._slots: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self._free: list[int] = list(range(FIRST_USERS - 1, -1, -1))
        self._turn = 0
        self._watermarks: dict[int, int] = {}
        self.rows = empty_profile_rows(FIRST_USERS, *shape, FIRST_USERS)
        self.hashes: NDArray[np.uint64] = np.zeros(FIRST_USERS, np.uint64)
        self._partition: NDArray[np.int32] = np.full(FIRST_USERS, NO_PARTITION, np.int32)
        self._last_turn: NDArray[np.int64] = np.zeros(FIRST_USERS, np.int64)

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def find(self, partition: int, user_hash: int) -> int | None:
        """Return the slot of a user of a partition in memory, None if there is none."""
        return self._slots[partition].get(user_hash)

    def slots(self, runs: Sequence[tuple[int, list[int]]]) -> NDArray[np.int32]:
        """Return the slots of users, reading or creating their profiles as needed.

        No user of a call leaves memory to make room for another of the same call.

        Parameters
        ----------
        runs : sequence of (partition, hashes)
            Users of each partition; they may repeat.

        Returns
        -------
        int32[all users]
        """
        self._turn += 1
        own = [(self._slots[partition], run) for partition, run in runs]
        if not all(known.keys() >= set(run) for known, run in own):
            here = [
                known[user_hash] for known, run in own for user_hash in run if user_hash in known
            ]
            self._last_turn[here] = self._turn
            for partition, run in runs:
                known = self._slots[partition]
                self._admit(partition, [h for h in dict.fromkeys(run) if h not in known])
        slots = np.array([known[user_hash] for known, run in own for user_hash in run], np.int32)
        self._last_turn[slots] = self._turn
        return slots

    def drop_if_unknown(self, slot: int) -> None:
        """Give back the slot of a user who was only asked about and has no events."""
        if self.rows.applied[slot] == NO_OFFSET and not self.rows.dirty[slot]:
            self._evict(np.array([slot]))

    def reserve_seen_blocks(self, n_blocks: int) -> None:
        """Make room for `n_blocks` more blocks of seen items."""
        needed = int(self.rows.seen_used[0]) + n_blocks
        if needed > len(self.rows.seen_next):
            n_blocks = doubled(len(self.rows.seen_next), needed)
            self.rows = with_rows(self.rows, SEEN_COLUMNS, n_blocks, self._empty)

    def n_dirty(self, partition: int) -> int:
        """Return how many profiles of a partition changed since they were last frozen."""
        return len(self._dirty(partition))

    def freeze(self, partition: int) -> list[tuple[bytes, bytes | None]]:
        """Return the changed profiles of a partition, encoded; they count as unchanged then.

        None stands for the profile of a user who is to be forgotten.
        """
        dirty = self._dirty(partition)
        is_forgotten = self.rows.applied[dirty] == NO_OFFSET
        keys = [row_key(PROFILE, user_hash) for user_hash in self.hashes[dirty].tolist()]
        rows = encode_profiles(self.rows, self._ids, dirty)
        self.rows.dirty[dirty] = 0
        self._evict(dirty[is_forgotten])
        return [
            (key, None if forgotten else row)
            for key, forgotten, row in zip(keys, is_forgotten.tolist(), rows, strict=True)
        ]

    def open_partition(self, partition: int, watermark: int) -> None:
        """Take over a partition whose profiles are durable up to an event offset.

        Up to there a profile holds all that it ever will, even of a user without any: who has asked
        to be forgotten.
        """
        self._watermarks[partition] = watermark

    def close_partition(self, partition: int) -> None:
        """Forget all profiles of a partition, changed or not."""
        self._watermarks.pop(partition, None)
        self._evict(np.flatnonzero(self._partition == partition))

    def _dirty(self, partition: int) -> NDArray[np.int64]:
        return np.flatnonzero((self.rows.dirty == 1) & (self._partition == partition))

    def _admit(self, partition: int, missing: list[int]) -> None:
        if not missing:
            return
        self._make_room(len(missing))
        stored: Iterable[bytes | None] = [None] * len(missing)
        if self._read is not None:
            stored = self._read(partition, [row_key(PROFILE, h) for h in missing])
        for user_hash, value in zip(missing, stored, strict=True):
            slot = self._free[-1]
            if value is not None:
                self.reserve_seen_blocks(blocks_needed(value))
                key = row_key(PROFILE, user_hash)
                decode_profile(self.rows, self._ids, slot, key, value)
            durable = self.rows.durable
            durable[slot] = max(durable[slot], self._watermarks.get(partition, NO_OFFSET))
            self._free.pop()
            self._slots[partition][user_hash] = slot
            self.hashes[slot] = user_hash
            self._partition[slot] = partition
            self._last_turn[slot] = self._turn

    def _make_room(self, n_users: int) -> None:
        if self._read is not None and len(self) + n_users > self._in_memory_max:
            clean = (self.rows.dirty == 0) & (self._partition != NO_PARTITION)
            idle = np.flatnonzero(clean & (self._last_turn < self._turn))
            n_evicted = max(n_users, int(self._in_memory_max * EVICTED_SHARE))
            if n_evicted < len(idle):
                oldest = np.argpartition(self._last_turn[idle], n_evicted)[:n_evicted]
                idle = idle[oldest]
            self._evict(idle)
        if len(self._free) < n_users:
            present = len(self.hashes)
            self._grow(more(present, len(self) + n_users))

    def _evict(self, slots: NDArray[np.int64]) -> None:
        clear_profiles(self.rows, slots)
        for slot in slots.tolist():
            del self._slots[int(self._partition[slot])][int(self.hashes[slot])]
            self._free.append(slot)
        self._partition[slots] = NO_PARTITION

    def _grow(self, n_users: int) -> None:
        """Lengthen the columns; slots beyond the present ones become free."""
        present = len(self.hashes)
        self.rows = with_rows(self.rows, USER_COLUMNS, n_users, self._empty)
        self.hashes = extended(self.hashes, n_users)
        self._partition = extended(self._partition, n_users, NO_PARTITION)
        self._last_turn = extended(self._last_turn, n_users)
        self._free.extend(range(n_users - 1, present - 1, -1))
