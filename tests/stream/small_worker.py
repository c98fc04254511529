"""A worker without Faust and Kafka: the counting engine, the commit cycle, a world in memory."""

from __future__ import annotations

from collections.abc import Sequence

from stream_rec.model.runs import Run
from stream_rec.stream.changelog import ITEMS
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.recovery import recover
from tests.stream.fake_engine import FakeEngine
from tests.stream.topics import Event
from tests.stream.world import WorldEffects


class SmallWorker:
    """Processes the events of one partition, committing after every few of them."""

    def __init__(self, effects: WorldEffects, partition: int = 0) -> None:
        self.effects = effects
        self.partition = partition
        self.engine = FakeEngine(effects.world.n_partitions, self._read_profiles)
        self.cycle = CommitCycle(effects)
        self.next_offset = 0

    async def start(self) -> None:
        [recovered] = await recover(
            self.effects,
            await self.effects.source(),
            [self.partition],
            self.effects.generation,
            self.effects.positions(self.partition),
        )
        self.engine.open_partition(
            self.partition,
            self.effects.scan_rows(ITEMS, self.partition),
            recovered.owned.watermark.offset,
        )
        self.cycle.take(recovered.owned)
        self.next_offset = recovered.start_offset

    async def run(self, events: Sequence[Event], commit_every: int = 2) -> None:
        """Process what is left of the events of this partition, and commit at the end."""
        while self.next_offset < len(events):
            batch = events[self.next_offset : self.next_offset + commit_every]
            self.process(batch)
            await self.commit()

    def process(self, batch: Sequence[Event]) -> None:
        self.engine.process([Run(self.partition, batch)], 0)
        self.next_offset = batch[-1].offset + 1

    async def commit(self) -> None:
        await self.cycle.commit([self.partition], self._freeze)

    async def _freeze(self, partition: int):
        return self.engine.freeze(partition)

    def _read_profiles(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        disk = self.effects.world.disk(self.effects.disk_name, ("profiles", partition))
        return [disk.get(key) for key in keys]
