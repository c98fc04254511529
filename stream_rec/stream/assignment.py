"""The partitions that this worker owns: taking them, committing for them, giving them up.

Taking recovers and claims each partition, then loads its rows into the engine. Giving up commits
once more and forgets. A taking that a new rebalance overtakes is cancelled; nothing of it remains
but stores that hold more of their changelogs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from stream_rec.stream.changelog import ITEMS, TABLES
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.effects import Effects
from stream_rec.stream.engine_port import Engine
from stream_rec.stream.follower import Follower
from stream_rec.stream.plan import ORDINARY, Plan
from stream_rec.stream.processor import Processor
from stream_rec.stream.recovery import Recovered, recover
from stream_rec.stream.stats import Stats

logger = logging.getLogger(__name__)


class Assignment:
    """Owns partitions on behalf of the application.

    Parameters
    ----------
    engine, processor, effects, stats
        The parts that a partition passes through.
    plan : Plan
        Where partitions begin.
    follower : Follower, optional
        Told of the partitions that are not owned.
    """

    def __init__(
        self,
        engine: Engine,
        processor: Processor,
        effects: Effects,
        stats: Stats,
        plan: Plan = ORDINARY,
        follower: Follower | None = None,
    ) -> None:
        self._follower = follower
        self._engine = engine
        self._processor = processor
        self._effects = effects
        self._stats = stats
        self._plan = plan
        self._cycle = CommitCycle(effects)
        self._one_at_a_time = asyncio.Lock()
        self._taking: asyncio.Task[None] | None = None

    def start_offsets(self) -> dict[int, int]:
        """Offset of the first event to process, by owned partition."""
        return self._processor.next_offsets

    def watermarks(self) -> dict[int, int]:
        """Offset of the last durable event, by owned partition."""
        return {
            partition: watermark.offset for partition, watermark in self._cycle.watermarks.items()
        }

    def committable_offsets(self) -> dict[int, int]:
        """Durable watermark + 1, by owned partition."""
        return {
            partition: offset + 1 for partition, offset in self.watermarks().items() if offset >= 0
        }

    async def take(self, partitions: Iterable[int], generation: int) -> bool:
        """Recover partitions and claim them; False if `give_up` was called meanwhile.

        Raises
        ------
        StreamRecError
            A partition cannot be recovered.
        """
        self._taking = asyncio.create_task(self._take(sorted(partitions), generation))
        await asyncio.wait([self._taking])
        taking, self._taking = self._taking, None
        if taking is None or taking.cancelled():
            return False
        taking.result()
        return True

    async def commit(self) -> None:
        """Run one commit cycle for all owned partitions.

        Raises
        ------
        DeliveryError, FencedError, StateError
            This worker must stop.
        """
        async with self._one_at_a_time:
            started_at_s = self._stats.clock_s()
            n_rows = await self._cycle.commit(
                sorted(self._cycle.watermarks), self._processor.freeze
            )
            self._stats.count_commit(n_rows, started_at_s)

    async def give_up(self, timeout_s: float, commit: bool = True) -> None:
        """Commit once more, then forget all partitions; their stores stay open.

        Most of them are mostly taken again a moment later, and a store takes long to open.

        Raises
        ------
        TimeoutError
            The commit did not end in time; its events will be processed again.
        """
        await self._cancel_taking()
        owned = list(self._cycle.watermarks)
        is_committed = False
        try:
            if commit and owned:
                for partition in owned:
                    self._processor.end(partition)
                async with asyncio.timeout(timeout_s):
                    await self.commit()
                is_committed = True
        finally:
            await self._release(owned, is_committed)

    async def _release(self, partitions: list[int], is_committed: bool) -> None:
        """Forget partitions; follow them from where they stand, if what stands is durable.

        The commit cycle forgets all of them at once: its next run may begin in any pause here.
        """
        follower = self._follower
        follow = follower is not None and is_committed and not follower.is_stopped
        positions = {p: self._cycle.position(ITEMS, p) for p in partitions}
        for partition in partitions:
            self._cycle.release(partition)
        for partition, position in positions.items():
            is_followed = await self._processor.close(partition, follow=follow)
            if is_followed and follower is not None:
                follower.follow_on(partition, position)

    async def _cancel_taking(self) -> None:
        taking = self._taking
        if taking is not None:
            taking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([taking])

    async def _take(self, partitions: list[int], generation: int) -> None:
        async with self._one_at_a_time:
            started_at_s = self._stats.clock_s()
            await self._effects.wait_for_acks()  # of a claim that was cancelled
            source = await self._effects.source()
            self._effects.close_stores_except(partitions)
            positions = {
                (table, partition): self._effects.open_store(table, partition)
                for partition in partitions
                for table in TABLES
            }
            for recovered in await recover(
                self._effects, source, partitions, generation, positions, self._plan
            ):
                await self._open(recovered, is_last=recovered.owned.partition == partitions[-1])
                logger.info(
                    "partition %d goes on from offset %d (epoch %d)",
                    *(recovered.owned.partition, recovered.start_offset, recovered.owned.epoch),
                )
            logger.info(
                "%d partitions taken in %.2f s",
                *(len(partitions), self._stats.clock_s() - started_at_s),
            )
            if self._follower is not None:
                for partition in set(range(source.n_partitions)) - set(self._cycle.watermarks):
                    await self._follower.follow(partition)

    async def _open(self, recovered: Recovered, is_last: bool) -> None:
        """Load the item rows into the engine, in a thread: there may be millions.

        The view is brought up to date with the last partition, once for all. A thread cannot be
        stopped: if this is cancelled, it is waited for and its work undone.
        """
        partition, offset = recovered.owned.partition, recovered.owned.watermark.offset
        rows = self._effects.scan_rows(ITEMS, partition)
        if self._follower is not None:
            self._follower.leave(partition)
        async with self._processor.turn:
            opening = asyncio.ensure_future(
                asyncio.to_thread(
                    self._engine.open_partition, partition, rows, offset, refresh=is_last
                )
            )
            try:
                await asyncio.shield(opening)
            except asyncio.CancelledError:
                await asyncio.wait([opening])
                self._engine.close_partition(partition)
                raise
        self._cycle.take(recovered.owned)
        self._processor.open(partition, recovered.start_offset)
