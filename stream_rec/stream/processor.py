"""The hot path: record batches in, their lists and dead letters out.

Processing batches, freezing a part of the rows and closing a partition take turns: batches are
folded *and* published in one turn, so whatever a freeze sees has left for Kafka already, and the
watermark that vouches for it waits for its acknowledgement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stream_rec.errors import StateError
from stream_rec.model.freezing import Frozen
from stream_rec.model.message import SCHEMA_VERSION
from stream_rec.model.runs import HitRate, Run, RunResult
from stream_rec.settings import TopicSettings
from stream_rec.stream.batches import EventRecord, RecordBatch
from stream_rec.stream.changelog import Headers
from stream_rec.stream.commit_schedule import CommitSchedule
from stream_rec.stream.dead_letters import dead_letter
from stream_rec.stream.effects import Effects, Row
from stream_rec.stream.engine_port import Engine
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.stats import Stats
from stream_rec.stream.tracing import traces_of

MS_PER_S = 1_000
ROWS_PER_PART = 100
"""With all the links that they may have, they take a millisecond."""
RECOMMENDATION_HEADERS: Headers = [
    ("content-type", b"application/json"),
    ("schema-version", b"%d" % SCHEMA_VERSION),
]


class Processor:
    """Folds record batches into the engine and publishes what comes out.

    Parameters
    ----------
    engine : Engine
        The model.
    profiles : FrozenProfiles
        What the engine reads profiles from; told of every freeze.
    effects : Effects
        Takes lists and dead letters.
    topics : TopicSettings
        Names of the topics.
    stats : Stats
        Counted here; its clock is the wall clock of this worker.
    schedule : CommitSchedule
        Told of every event.
    rows_per_part : int
        Item rows that are frozen at a time.

    Attributes
    ----------
    turn : asyncio.Lock
        Held by whoever calls the engine.
    """

    def __init__(
        self,
        engine: Engine,
        profiles: FrozenProfiles,
        effects: Effects,
        topics: TopicSettings,
        stats: Stats,
        schedule: CommitSchedule,
        rows_per_part: int = ROWS_PER_PART,
    ) -> None:
        self._engine = engine
        self._profiles = profiles
        self._effects = effects
        self._topics = topics
        self._stats = stats
        self._schedule = schedule
        self._rows_per_part = rows_per_part
        self._next_offsets: dict[int, int] = {}
        self._ending: set[int] = set()
        self.turn = asyncio.Lock()

    @property
    def next_offsets(self) -> dict[int, int]:
        """Offset of the next event to process, by open partition."""
        return dict(self._next_offsets)

    def open(self, partition: int, start_offset: int) -> None:
        """Begin to process a partition, from an offset on."""
        self._next_offsets[partition] = start_offset
        self._ending.discard(partition)

    def end(self, partition: int) -> None:
        """Drop batches that still come for a partition, which is about to be given up."""
        self._ending.add(partition)

    async def close(self, partition: int, *, follow: bool = False) -> bool:
        """Forget a partition, dirty or not; batches that still come for it are dropped.

        Parameters
        ----------
        partition : int
        follow : bool
            Whether to keep its item rows if all of them are durable.

        Returns
        -------
        bool
            Whether they are kept: the engine follows the partition.
        """
        async with self.turn:
            self._next_offsets.pop(partition, None)
            self._profiles.drop(partition)
            if follow and self._engine.n_dirty(partition) == 0:
                await asyncio.to_thread(self._engine.follow_partition, partition)
                return True
            self._engine.close_partition(partition, refresh=False)  # until others are opened
            return False

    async def freeze(self, partition: int) -> Frozen:
        """Take the dirty rows of a partition, a part at a time between batches.

        Item rows may hold events from behind the offset that is returned.

        Raises
        ------
        StateError
            It was given up meanwhile.
        """
        items: list[tuple[bytes, bytes]] = []
        profiles: list[Row] = []
        parts = self._engine.freeze_in_parts(partition, self._rows_per_part)
        offset: int | None = None
        while True:
            await self._effects.stand_aside()
            async with self.turn:
                if partition not in self._next_offsets:
                    raise StateError(
                        f"expected partition {partition} to be open until its commit ends, came "
                        "that it was given up meanwhile; its events will be processed by the next "
                        "owner"
                    )
                if offset is None:
                    offset = self._next_offsets[partition] - 1
                    self._profiles.begin(partition)
                part = next(parts, None)
                if part is None:
                    return Frozen(partition, offset, items, profiles)
                self._profiles.keep(partition, part.profiles)
            items += part.items
            profiles += part.profiles

    def n_dirty(self, partition: int) -> int:
        """Return the number of rows of a partition that are not durable."""
        return self._engine.n_dirty(partition)

    def hit_rate(self, partition: int) -> HitRate:
        """Return how well an open partition foresees what is taken next."""
        return self._engine.hit_rate(partition)

    async def process(self, batches: Sequence[RecordBatch]) -> dict[int, int]:
        """Fold and publish batches of several partitions, each partition once.

        Returns
        -------
        dict of int to int
            Offset to fetch again from, by partition, where batches before this one were lost on
            their way here; this one is then dropped.
        """
        async with self.turn:
            lost: dict[int, int] = {}
            runs: list[Run[EventRecord]] = []
            for batch in batches:
                expected = self._next_offsets.get(batch.partition)
                if expected is None or batch.partition in self._ending:
                    continue
                if batch.start > expected:
                    self._stats.n_rewinds += 1
                    lost[batch.partition] = expected
                    continue
                records = batch.records
                if records[0].offset < expected:
                    records = [record for record in records if record.offset >= expected]
                    self._stats.n_repeated += len(batch.records) - len(records)
                if records:
                    runs.append(Run(batch.partition, records))
            if runs:
                await self._process(runs)
                for run in runs:
                    self._next_offsets[run.partition] = run.records[-1].offset + 1
            return lost

    async def _process(self, runs: Sequence[Run[EventRecord]]) -> None:
        started_at_s = self._stats.clock_s()
        results = self._engine.process(runs, int(started_at_s * MS_PER_S))
        for run, result in zip(runs, results, strict=True):
            await self._publish(result, run.records, int(started_at_s * MS_PER_S))
            self._stats.n_lists += len(result.published)
            self._stats.n_duplicates += result.n_duplicates
            self._stats.n_ignored += result.n_ignored
            self._stats.n_floods += result.n_floods
            self._stats.refused.update(refused.code for refused in result.refused)
        n_events = sum(len(run.records) for run in runs)
        oldest_at_ms = min(run.records[0].timestamp for run in runs)
        self._stats.count_batch(n_events, oldest_at_ms, started_at_s)
        self._schedule.count(n_events)

    async def _publish(
        self, result: RunResult, records: Sequence[EventRecord], now_ms: int
    ) -> None:
        publish = self._effects.publish
        topic = self._topics.recommendations
        traces = traces_of(records)
        for published in result.published:
            headers = RECOMMENDATION_HEADERS
            if published.offset in traces:
                headers = headers + traces[published.offset]
            await publish(topic, published.key, published.value, headers)
        for refused in result.refused:
            letter = dead_letter(records[refused.place], refused, now_ms)
            await publish(self._topics.dlq, *letter)
