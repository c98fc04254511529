"""An engine that honours the contract and counts: each row is the number of its events.

Events are ``{"user": …, "item": …}``. Users' and items' rows count events, item rows also keep the
sum of the history lengths that the event's user had (so that an item row depends on a profile).
A row that already contains an event (``applied_offset``) does not count it again, and what a
profile contains is in its items' rows. An event that ``repeats`` the one at an offset that is in
the history counts nowhere, and ``{"user": …, "forget": true}`` removes the profile.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from stream_rec.model.freezing import Frozen, FrozenRows
from stream_rec.model.runs import HitRate, Published, Record, Refused, Run, RunResult
from stream_rec.stream.engine_port import ProfileReader

COUNTS = struct.Struct("<Hqqq")
HISTORY_MAX = 8


class ItemRow(NamedTuple):
    applied: int
    n_events: int
    history_sum: int

    def encode(self) -> bytes:
        return COUNTS.pack(1, *self)

    @classmethod
    def decode(cls, row: bytes) -> ItemRow:
        return cls(*COUNTS.unpack(row)[1:])


class ProfileRow(NamedTuple):
    applied: int
    n_events: int
    history: tuple[int, ...]

    def encode(self) -> bytes:
        offsets = struct.pack(f"<{len(self.history)}q", *self.history)
        return COUNTS.pack(1, self.applied, self.n_events, len(self.history)) + offsets

    @classmethod
    def decode(cls, row: bytes) -> ProfileRow:
        _, applied, n_events, n_history = COUNTS.unpack_from(row)
        return cls(applied, n_events, struct.unpack_from(f"<{n_history}q", row, COUNTS.size))


class FakeEngine:
    """Counts events; see the head of this module."""

    def __init__(self, n_partitions: int, read_profiles: ProfileReader) -> None:
        self._read_profiles = read_profiles
        self.items: dict[int, dict[bytes, ItemRow]] = {}
        self.profiles: dict[int, dict[bytes, ProfileRow | None]] = {}
        self._dirty: dict[int, tuple[set[bytes], set[bytes]]] = {}
        self._last: dict[int, int] = {}
        self.followed: dict[int, dict[bytes, ItemRow]] = {}

    def open_partition(
        self,
        partition: int,
        rows: Iterable[tuple[bytes, bytes]] = (),
        watermark: int = -1,
        *,
        refresh: bool = True,
    ) -> None:
        self.followed.pop(partition, None)
        self.items[partition] = {key: ItemRow.decode(row) for key, row in rows}
        self.profiles[partition] = {}
        self._dirty[partition] = set(), set()
        self._last[partition] = watermark

    def close_partition(self, partition: int, *, refresh: bool = True) -> None:
        for state in (self.items, self.profiles, self._dirty, self._last, self.followed):
            state.pop(partition, None)

    def follow_partition(self, partition: int) -> None:
        rows = self.items.get(partition, {})
        self.close_partition(partition)
        self.followed[partition] = rows

    def stage_foreign(self, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        for key, row in rows:
            self.followed[partition].pop(key, None)
            if row is not None:
                self.followed[partition][key] = ItemRow.decode(row)

    def refresh_view(self, n_items_max: int | None = None) -> int:
        return 0

    def process(self, runs: Sequence[Run[Record]], generated_at_ms: int) -> list[RunResult]:
        return [self._process(run.partition, run.records) for run in runs]

    def _process(self, partition: int, records: Sequence[Record]) -> RunResult:
        result = RunResult([], [], n_duplicates=0, n_ignored=0, n_floods=0)
        for place, record in enumerate(records):
            event = _parse(record.value)
            if event is None:
                result.refused.append(Refused(place, "not_json", "expected a user and an item"))
            else:
                result.published.append(self._fold(partition, record.offset, event))
            self._last[partition] = record.offset
        return result

    def n_dirty(self, partition: int) -> int:
        return sum(map(len, self._dirty[partition]))

    def hit_rate(self, partition: int) -> HitRate:
        return HitRate(mean=0.0, n_changes=0)

    def freeze(self, partition: int) -> Frozen:
        items, profiles = [], []
        for part in self.freeze_in_parts(partition, 1000):
            items += part.items
            profiles += part.profiles
        return Frozen(partition, self._last[partition], items, profiles)

    def freeze_in_parts(self, partition: int, rows_max: int) -> Iterator[FrozenRows]:
        items, profiles = self._dirty[partition]
        for keys in _parts(profiles, len(profiles) or 1):
            rows = [(key, self.profiles[partition][key]) for key in keys]
            yield FrozenRows([], [(key, row and row.encode()) for key, row in rows])
        for keys in _parts(items, rows_max):
            yield FrozenRows([(k, self.items[partition][k].encode()) for k in keys], [])

    def _fold(self, partition: int, offset: int, event: dict[str, Any]) -> Published:
        user = f"u:{event['user']}".encode()
        profile = self._profile(partition, user)
        if event.get("forget"):
            if offset > profile.applied:
                self._set_profile(partition, user, None)
            return Published(offset, user[2:], None)
        if offset > profile.applied and event.get("repeats") not in profile.history:
            item = f"i:{event['item']}".encode()
            self._fold_item(partition, item, offset, len(profile.history))
            history = (*profile.history, offset)[-HISTORY_MAX:]
            profile = ProfileRow(offset, profile.n_events + 1, history)
            self._set_profile(partition, user, profile)
        message = {"user": event["user"], "n": profile.n_events, "partition": partition}
        return Published(offset, user[2:], json.dumps(message | {"offset": offset}).encode())

    def _set_profile(self, partition: int, user: bytes, row: ProfileRow | None) -> None:
        self.profiles[partition][user] = row
        self._dirty[partition][1].add(user)

    def _fold_item(self, partition: int, item: bytes, offset: int, n_before: int) -> None:
        row = self.items[partition].get(item, ItemRow(-1, 0, 0))
        if offset > row.applied:
            row = ItemRow(offset, row.n_events + 1, row.history_sum + n_before)
            self.items[partition][item] = row
            self._dirty[partition][0].add(item)

    def _profile(self, partition: int, user: bytes) -> ProfileRow:
        if user not in self.profiles[partition]:
            stored = self._read_profiles(partition, [user])[0]
            self.profiles[partition][user] = stored and ProfileRow.decode(stored)
        return self.profiles[partition][user] or ProfileRow(-1, 0, ())


def _parts(dirty: set[bytes], rows_max: int) -> Iterator[list[bytes]]:
    """Take what is dirty now, so many keys at a time."""
    keys = sorted(dirty)
    for first in range(0, len(keys), rows_max):
        part = keys[first : first + rows_max]
        dirty.difference_update(part)
        yield part


def _parse(value: bytes | None) -> dict[str, Any] | None:
    try:
        event = json.loads(value or b"")
    except ValueError:
        return None
    is_usable = isinstance(event, dict) and "user" in event and event.keys() & {"item", "forget"}
    return event if is_usable else None
