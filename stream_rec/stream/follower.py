"""Follows the item rows of partitions that other workers own, so that the item view has them.

Records of the items changelog are taken in bulk, those of zombies left out (fence.py), and set in
the engine in slices: between two of them a waiting batch of events has its turn, so following costs
an event no more than one slice. The view is summed up anew in slices, too, once for each item that
changed, in however many partitions it did.

A partition that this worker gives up is followed from where it stood, with the rows that are here;
any other from the beginning of its changelog, while lists are already being ranked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from stream_rec.stream.changelog import Position
from stream_rec.stream.changelog_tail import Taken
from stream_rec.stream.engine_port import Engine
from stream_rec.stream.fence import ValidPrefix
from stream_rec.stream.freshness import Freshness
from stream_rec.stream.stores import is_engine_key

SLICE_ROWS_MAX = 64
"""Rows that are set, or items that are summed up, in one turn."""


class Tail(Protocol):
    """Reads the ends of changelog partitions; `ChangelogTail` in production."""

    async def assign(self, next_offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, and no others."""

    async def take(self) -> dict[int, Taken]:
        """Wait a moment for records; return them for each partition with news, or at its end."""

    async def close(self) -> None:
        """Read nothing more."""


class Follower:
    """Keeps the engine's rows of followed partitions as their changelogs have them.

    Parameters
    ----------
    engine : Engine
    tail : Tail
        Of the items changelog.
    turn : asyncio.Lock
        Held by whoever calls the engine.
    freshness : Freshness
        Told how far the view is.
    """

    def __init__(
        self, engine: Engine, tail: Tail, turn: asyncio.Lock, freshness: Freshness
    ) -> None:
        self._engine = engine
        self._tail = tail
        self._turn = turn
        self.freshness = freshness
        self._followed: dict[int, ValidPrefix] = {}
        self._assigned: dict[int, ValidPrefix] = {}
        self._changed = asyncio.Event()
        self.is_stopped = False

    @property
    def partitions(self) -> list[int]:
        """The partitions that are followed, in order."""
        return sorted(self._followed)

    async def follow(self, partition: int) -> None:
        """Follow a partition of which nothing is known yet; nothing if it is followed already."""
        if partition not in self._followed:
            async with self._turn:
                self._engine.follow_partition(partition)
            self._begin(partition, Position(), is_complete=False)

    def follow_on(self, partition: int, position: Position) -> None:
        """Follow a partition whose rows the engine follows and has, up to a position."""
        self._begin(partition, position, is_complete=True)

    def leave(self, partition: int) -> None:
        """Follow a partition no more: it is about to be opened in the engine."""
        if self._followed.pop(partition, None) is not None:
            self.freshness.forget(partition)
            self._changed.set()

    def stop(self) -> None:
        """End `run` soon; partitions that are given up from now on need not be followed."""
        self.is_stopped = True
        self._changed.set()

    async def close(self) -> None:
        """Close what is read with, after `run` has ended or with it."""
        await self._tail.close()

    async def run(self) -> None:
        """Follow until told to stop.

        Raises
        ------
        StateError, RowFormatError
            A changelog cannot be read, or not by this build.
        """
        while not self.is_stopped:
            if self._changed.is_set():
                await self._assign()
            if self._assigned:
                await self._follow()
            else:
                await self._changed.wait()

    async def _assign(self) -> None:
        self._changed.clear()
        self._assigned = dict(self._followed)
        await self._tail.assign({p: one.position.offset + 1 for p, one in self._assigned.items()})

    async def _follow(self) -> None:
        """Take what is there and bring the view up to date with it."""
        started_at_s = self.freshness.clock_s()
        taken = await self._tail.take()
        for partition, one in taken.items():
            await self._apply(partition, one)
        if any(one.records for one in taken.values()):
            await self._refresh()
        for partition, one in taken.items():
            if self._is_still_followed(partition):
                complete_to_s = started_at_s if one.is_end else one.newest_s
                self.freshness.advance(partition, complete_to_s, one.is_end)

    def _is_still_followed(self, partition: int) -> bool:
        """Whether what was taken counts: the partition has not been left since it was assigned."""
        return self._followed.get(partition) is self._assigned[partition]

    def _begin(self, partition: int, position: Position, is_complete: bool) -> None:
        self._followed[partition] = ValidPrefix(position)
        self.freshness.begin(partition, is_complete)
        self._changed.set()

    async def _apply(self, partition: int, taken: Taken) -> None:
        valid = self._assigned[partition].accept(taken.records)
        rows = [row for row in valid.items() if is_engine_key(row[0])]
        for first in range(0, len(rows), SLICE_ROWS_MAX):
            async with self._turn:
                if not self._is_still_followed(partition):
                    return
                self._engine.stage_foreign(partition, rows[first : first + SLICE_ROWS_MAX])
            await asyncio.sleep(0)  # a free lock is taken without letting others run
        self.freshness.n_rows += len(rows)

    async def _refresh(self) -> None:
        n_waiting = 1
        while n_waiting and not self.is_stopped:
            async with self._turn:
                n_waiting = self._engine.refresh_view(SLICE_ROWS_MAX)
            await asyncio.sleep(0)
