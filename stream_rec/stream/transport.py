"""Faust's Kafka transport, handing agents record batches instead of records.

Faust spends about 65 µs on each message. Here one message is what has come of several partitions
by the time that the agent has handled the one before; nothing waits for a batch to fill:

    message.value      = [RecordBatch(records, start), …], each partition once
    message.partition  = that of the first batch; it says nothing of the others

aiokafka keeps the membership of the group and commits offsets; events are read by librdkafka
(event_reader.py), so what aiokafka is assigned it does not fetch.

Guarantees
- A batch starts where the one before it ended: ``start`` is the offset that was asked for, and
  every offset from ``start`` to the last one is in the batch or does not exist in the topic.
  Where it would start later, the consumer seeks back and asks once more before it believes it
  (transaction markers are such gaps; so are records that retention has deleted).
- What may be committed is decided by the durable watermark alone, never by Faust's lists of
  acknowledged messages, which can commit past events that were not processed.
- On assignment every partition is told where to start, also where nothing was ever committed.
- The agent has one message at a time, of no more records than a batch may have.

The topic of events is the only one that the application reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream_rec.errors import StateError
from stream_rec.stream.batches import EventRecord, RecordBatch
from stream_rec.stream.event_reader import EventReader
from stream_rec.stream.producer import LibrdkafkaProducer

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp


class Progress(Protocol):
    """Who knows where each partition of the events topic starts and what is durable."""

    def start_offsets(self) -> Mapping[int, int]:
        """Offset of the first event to process, by partition that this worker owns."""

    def committable_offsets(self) -> Mapping[int, int]:
        """Durable watermark + 1, by partition that this worker owns."""


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, which keeps the membership and fetches nothing."""

    app: StreamApp

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let others read what is assigned."""
        self._ensure_consumer().pause(*(TopicPartition(*tp) for tp in assigned))
        await super().on_partitions_assigned(assigned, generation_id)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit for Faust, which calls this now and then, as we do."""
        assignment = self.assignment()
        try:
            return await self._commit_as_member(
                {tp: offset for tp, offset in offsets.items() if tp in assignment}
            )
        except Exception as error:
            self.app.fail(error)
            return False

    async def commit_as_member(self, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets; say whether the group still takes them from this member."""
        taken: bool = await self.call_thread(self._commit_as_member, offsets)
        return taken

    async def _commit_as_member(self, offsets: Mapping[TP, int]) -> bool:
        metadata = self.app.commit_metadata
        commits = {
            TopicPartition(*tp): OffsetAndMetadata(at, metadata) for tp, at in offsets.items()
        }
        try:
            await self._ensure_consumer().commit(commits)
        except (CommitFailedError, IllegalStateError):
            return False
        return True


class BatchConsumer(driver.Consumer):
    """Consumer that yields record batches of the events topic, several in one Faust message."""

    mundane_level = "debug"
    app: StreamApp
    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.app.settings
        self._topic: str = settings.topics.events
        self._reader = EventReader(settings.kafka, self._topic)
        self._batch_records_max: int = settings.worker.batch_records_max
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._next_fetch: dict[int, int] = {}
        self._gaps_asked_again: dict[int, int] = {}
        self.n_missing_offsets = 0

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Take what has come once the agent is free, and yield it as one message.

        What is dropped here has been taken before a seek that is still to come, or is asked for
        again: what was dropped without either would be missed only when the next event of its
        partition arrives.
        """
        runs, active = await self._wait_next_records(timeout)
        if not runs or self.should_stop:
            return
        batches = [await self._batch_of(tp, run, active or ()) for tp, run in runs.items()]
        ready = [batch for batch in batches if batch is not None]
        if ready and self.flow_active:  # else the next assignment tells where to go on
            self._is_free.clear()
            yield self._to_batch_message(ready)

    def on_handled(self) -> None:
        """Learn that the agent has handled what it was handed, and may have more."""
        self._is_free.set()

    def stop_flow(self) -> None:
        """Hand on nothing more; what the agent has not begun it may never see."""
        super().stop_flow()
        self._is_free.set()

    def on_buffer_full(self, tp: TP) -> None:
        """Pause no partition: a message belongs to several."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Say nothing of what aiokafka does not fetch: the watchdog watches progress."""

    def highwater(self, tp: TP) -> int | None:  # type: ignore[override]
        """Return the offset of the next event to come, as of the last fetch; None before it."""
        return self._reader.highwater(tp.partition)

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """Take next from these offsets; what was fetched from others is dropped on arrival."""
        self._next_fetch.update(next_offsets)
        self._reader.seek(next_offsets)

    async def commit_offsets(self, offsets: Mapping[int, int]) -> bool:
        """Commit offsets of the events topic; say whether the group still takes them from us."""
        positions = {TP(self._topic, partition): at for partition, at in offsets.items()}
        commit = self.app.sensors.on_commit_initiated(self)
        if not await self._thread.commit_as_member(positions):
            return False
        self._committed_offset.update(positions)
        self.app.monitor.on_tp_commit(positions)
        self.app.sensors.on_commit_completed(self, commit)
        return True

    async def perform_seek(self) -> None:
        """Read every assigned partition from where the recovered state ends."""
        assignment = {ensure_TP(tp) for tp in self.assignment()}
        next_offsets = {
            partition: offset
            for partition, offset in self._progress().start_offsets().items()
            if TP(self._topic, partition) in assignment
        }
        self._gaps_asked_again.clear()
        self._next_fetch.update(next_offsets)
        await self._reader.assign(next_offsets)
        self._is_free.set()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Read nothing until the next assignment: a rebalance takes all partitions."""
        await self._reader.assign({})
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Close what reads the events, too."""
        try:
            await super().on_stop()
        finally:
            await self._reader.close()

    def _committable_offsets(self) -> Mapping[int, int]:
        return {} if self.app.assignment is None else self._progress().committable_offsets()

    def _progress(self) -> Progress:
        assert self.app.assignment is not None
        return self.app.assignment

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for partition in self._committable_offsets():
            tp = TP(self._topic, partition)
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        return self._committable_offsets().get(tp.partition)

    async def _getmany(
        self, active_partitions: Collection[TP] | None, timeout: float
    ) -> dict[TP, list[EventRecord]]:
        await self._is_free.wait()
        if not self.flow_active:
            return {}
        try:
            runs = await self._reader.take(self._batch_records_max)
        except StateError as error:
            self.app.fail(error)
            return {}
        return {TP(self._topic, partition): run for partition, run in runs.items()}

    async def _batch_of(
        self, tp: TP, records: Sequence[EventRecord], active: Collection[TP]
    ) -> RecordBatch | None:
        """Return what was wanted of these records; None where it has to be asked for again."""
        partition = tp.partition
        start = self._next_fetch.setdefault(partition, records[0].offset)
        wanted = [record for record in records if record.offset >= start]
        if not wanted:
            await self._check_end(partition, start)
            return None
        if tp not in active:
            self.rewind({partition: start})
            return None
        if self._asks_again(partition, start, wanted[0].offset):
            return None
        self.n_missing_offsets += wanted[-1].offset - wanted[0].offset + 1 - len(wanted)
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp) or 0)
        return RecordBatch(wanted, start)

    async def _check_end(self, partition: int, start: int) -> None:
        """Stop the worker if the partition ends before what has been read of it."""
        _, end = await self.app.log_reader.offsets(self._topic, partition)
        if end < start:
            self.app.fail(
                StateError(
                    f"expected {self._topic}, partition {partition}, to go on at offset {start}, "
                    f"came its end at {end}: it was deleted and made anew, or has lost events; the "
                    "next start of this worker says what to do"
                )
            )

    def _asks_again(self, partition: int, start: int, first: int) -> bool:
        """Seek back to a gap the first time it is met; count it when it is still there."""
        if first == start:
            return False
        if self._gaps_asked_again.get(partition) != start:
            self._gaps_asked_again[partition] = start
            self.rewind({partition: start})
            return True
        self.n_missing_offsets += first - start
        self.log.warning(
            "%s-%d: offsets %d to %d do not exist (transaction markers, or deleted by retention "
            "before they were read)",
            *(self._topic, partition, start, first - 1),
        )
        return False

    def _to_batch_message(self, batches: list[RecordBatch]) -> tuple[TP, ConsumerMessage]:
        """Return a message in the name of its first partition.

        Faust drops a message that is behind what it has read of the partition that it names. So it
        never is: what has been read is known by partition in the processor, which asks again.
        """
        for batch in batches:
            self._next_fetch[batch.partition] = batch.last + 1
        first = batches[0]
        tp = TP(self._topic, first.partition)
        message = ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=max(first.last, self._read_offset[tp] or 0),
            timestamp=first.records[-1].timestamp / 1000.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast(bytes, batches),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        return tp, message


class BatchTransport(driver.Transport):
    """aiokafka for the consumer group, librdkafka for reading and writing."""

    Consumer: ClassVar[type[BatchConsumer]] = BatchConsumer
    Producer: ClassVar[type[LibrdkafkaProducer]] = LibrdkafkaProducer
