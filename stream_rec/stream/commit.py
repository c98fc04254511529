"""The commit cycle: the one place that knows the order in which things become durable.

Every ``worker.commit_interval_s``, after ``worker.commit_events_max`` events, and before partitions
are given up:

1. freeze the dirty rows of each owned partition, profiles before items; events go on being
   processed meanwhile, so item rows may hold events from behind the watermark
2. produce the item rows, wait for their acknowledgements, see that nobody else wrote there
3. produce the profile rows, and which are to go (removals.py); wait for these and for the lists and
   dead letters published so far; see that nobody else wrote there
4. produce the watermark, wait for its acknowledgement, see that nobody else wrote there
5. remove the profile rows that are to go, wait likewise, then drop the list of them, wait
6. write rows, changelog position and watermark to each store, one atomic batch per store
7. commit watermark + 1
8. look at the ends of the changelogs that nothing was written to: a zombie may have written there

So what is durable is always a prefix: the store of its changelog, items before profiles, rows
before the watermark that vouches for them and that before removals, all before the committed
offset.

What if a step fails
1. Nothing has happened; the worker stops and the events are processed again from the watermark.
2. Some item rows are in the changelog. The next owner reads them, starts at the old watermark, and
   its engine leaves out of each row what that row already contains.
3. Likewise; profile rows that are in the changelog imply that their item rows are.
4. Everything that the watermark vouches for is there before it is sent. It may not just follow the
   profile rows: a producer that gives a record up sends those behind it all the same.
5. The next owner finds listed what is to go, and removes it.
6. The store is older than its changelog, and recovery rolls it forward from its position.
7. The committed offset is older than the watermark. It is only a hint: recovery seeks to the
   watermark.
8. The next cycle looks again, or the next owner does.
A delivery error or a new owner (`FencedError`) at any step stops the worker: never on past a hole.
A cycle that did not end has taken rows that no later one would make durable, so the partitions in
it are not committed for again until they have been given up and recovered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stream_rec.errors import StateError
from stream_rec.stream.changelog import (
    ITEMS,
    PROFILES,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.effects import Effects, Row
from stream_rec.stream.ownership import Ownership, look_for_strangers, make_durable
from stream_rec.stream.removals import Listed, dropping, list_removed, listing, removals

if TYPE_CHECKING:
    from stream_rec.model.freezing import Frozen  # which brings the kernels


class _Owned(dict[int, Ownership]):
    """By partition; one that was given up while its commit still ran stops that commit."""

    def __missing__(self, partition: int) -> Ownership:
        raise StateError(
            f"expected to own partition {partition} until its commit ends, came that it was given "
            "up meanwhile; its rows are not durable; they will be recovered by the next owner"
        )


class CommitCycle:
    """Makes frozen state durable, for the partitions that this worker owns.

    Parameters
    ----------
    effects : Effects
        The world.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._owned: dict[int, Ownership] = _Owned()
        self._unfinished: set[int] = set()

    @property
    def watermarks(self) -> dict[int, Watermark]:
        """The durable watermark of each owned partition."""
        return {partition: owned.watermark for partition, owned in self._owned.items()}

    def position(self, table: str, partition: int) -> Position:
        """How far this worker has written and seen a changelog of a partition that it owns."""
        owned = self._owned[partition]
        return Position(owned.next_offsets[table] - 1, owned.epoch)

    def take(self, owned: Ownership) -> None:
        """Begin to commit for a partition, after its recovery."""
        self._owned[owned.partition] = owned

    def release(self, partition: int) -> None:
        """Give a partition up; what is not durable by now will be processed by its next owner."""
        self._owned.pop(partition, None)
        self._unfinished.discard(partition)

    async def commit(
        self, partitions: Iterable[int], freeze: Callable[[int], Awaitable[Frozen]]
    ) -> int:
        """Run one cycle; see the head of this module for the steps.

        Parameters
        ----------
        partitions : Iterable[int]
            Owned partitions.
        freeze : Callable[[int], Awaitable[Frozen]]
            Takes the dirty rows of a partition; events may be processed meanwhile.

        Returns
        -------
        int
            Number of rows made durable.

        Raises
        ------
        DeliveryError
            Something was not acknowledged.
        FencedError
            A partition has a new owner.
        StateError
            The cycle before this one did not end, or a partition was given up during this one.
        """
        partitions = list(partitions)
        self._begin(partitions)
        # 1. freeze
        frozen = []
        for partition in partitions:
            frozen.append(await freeze(partition))
        frozen = [one for one in frozen if self._is_news(one)]
        ends = {p: dict(owned.next_offsets) for p, owned in self._owned.items()}
        if frozen:
            await self._commit(frozen)
        # 8. the changelogs that nothing was written to
        await look_for_strangers(self._effects, self._owned, ends)
        self._unfinished.difference_update(partitions)
        return sum(len(one.items) + len(one.profiles) for one in frozen)

    def _begin(self, partitions: Sequence[int]) -> None:
        lost = sorted(self._unfinished.intersection(partitions))
        if lost:
            raise StateError(
                f"expected the commit before this one to have ended, came one that did not, for "
                f"partitions {lost}: its rows are not durable; they will be recovered by the next "
                "owner"
            )
        self._unfinished.update(partitions)

    async def _commit(self, frozen: Sequence[Frozen]) -> None:
        # 2. item rows, durable before the profiles that imply them
        items: dict[int, Sequence[Row]] = {one.partition: list(one.items) for one in frozen}
        await self._make_durable(ITEMS, items)
        # 3. profile rows, and which are to go
        watermarks = {one.partition: self._advance(one) for one in frozen}
        removed = {
            one.partition: list_removed(watermarks[one.partition].offset, one.profiles)
            for one in frozen
        }
        profiles: dict[int, list[Row]] = {
            one.partition: [row for row in one.profiles if row[1] is not None]
            + listing(removed[one.partition])
            for one in frozen
        }
        await self._make_durable(PROFILES, profiles)
        # 4. the watermark, which vouches for all of them
        records = {p: [(WATERMARK_KEY, new.encode())] for p, new in watermarks.items()}
        await self._make_durable(PROFILES, records, behind=profiles)
        # 5. the profile rows that are to go
        await self._remove(removed, {p: [*profiles[p], *records[p]] for p in profiles})
        # 6. the stores
        for one in frozen:
            watermark = watermarks[one.partition]
            await self._write(ITEMS, one.partition, items[one.partition], watermark)
            await self._write(PROFILES, one.partition, list(one.profiles), watermark)
            self._owned[one.partition].watermark = watermark
            await self._effects.stand_aside()
        # 7. the committed offset
        await self._effects.commit({one.partition: one.offset + 1 for one in frozen})

    async def _remove(
        self, removed: Mapping[int, Listed], behind: Mapping[int, Sequence[Row]]
    ) -> None:
        """Remove rows, and when that is durable the lists that tell of it."""
        listed = {p: one for p, one in removed.items() if one.keys}
        if listed:
            gone = {p: removals(one) for p, one in listed.items()}
            await self._make_durable(PROFILES, gone, behind)
            behind = {p: [*behind[p], *rows] for p, rows in gone.items()}
            dropped = {p: dropping(one) for p, one in listed.items()}
            await self._make_durable(PROFILES, dropped, behind)

    def _is_news(self, frozen: Frozen) -> bool:
        owned = self._owned[frozen.partition]
        is_switched = owned.watermark.is_rebuilding and not self._is_rebuilding(frozen)
        is_further = frozen.offset > owned.watermark.offset
        return is_further or is_switched or bool(frozen.items or frozen.profiles)

    def _is_rebuilding(self, frozen: Frozen) -> bool:
        """Say whether the model is one that was not switched to yet (rebuild.py)."""
        owned = self._owned[frozen.partition]
        is_behind = frozen.offset < owned.watermark.offset
        return owned.rebuilds or (owned.watermark.is_rebuilding and is_behind)

    def _advance(self, frozen: Frozen) -> Watermark:
        before = self._owned[frozen.partition].watermark
        watermark = before._replace(
            offset=max(before.offset, frozen.offset), is_rebuilding=self._is_rebuilding(frozen)
        )
        if any(row is None for _, row in frozen.profiles):
            return watermark._replace(removed=watermark.offset)
        return watermark

    async def _make_durable(
        self,
        table: str,
        rows: Mapping[int, Sequence[Row]],
        behind: Mapping[int, Sequence[Row]] | None = None,
    ) -> None:
        await make_durable(self._effects, self._owned, table, rows, behind)

    async def _write(
        self, table: str, partition: int, rows: Sequence[Row], watermark: Watermark
    ) -> None:
        position = self.position(table, partition)
        await self._effects.write_batch(table, partition, rows, position, watermark)
