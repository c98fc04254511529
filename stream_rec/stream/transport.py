"""Faust's Kafka transport, handing agents record batches instead of records.

Faust spends about 65 µs on each message. Here one message is what one fetch brought for several
partitions, taken as it is at hand (nothing waits for a batch to fill):

    message.value      = [RecordBatch(records, start), …], each partition once
    message.partition  = that of the first batch; it says nothing of the others

Guarantees
- A batch starts where the one before it ended: ``start`` is the offset that was asked for, and
  every offset from ``start`` to the last one is in the batch or does not exist in the topic.
  When a fetch skips offsets, the consumer seeks back and asks once more before it believes it
  (transaction markers are such gaps; so are records that retention has deleted).
- What may be committed is decided by the durable watermark alone, never by Faust's lists of
  acknowledged messages, which can commit past events that were not processed.
- On assignment every partition is told where to start, also where nothing was ever committed.
- Partitions take turns batch by batch, and no message has more records than a batch may have: none
  waits for more than one batch of each other partition. When the agent's queue is full, the next
  fetch waits, for all partitions alike.

Only the topic of events is batched; other topics of an application behave as in Faust.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import aiokafka
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata, TopicPartition
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream_rec.kafka_clients import fetch_max_wait_ms
from stream_rec.stream.batches import RecordBatch, cut, pack
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
    """Faust's consumer thread, with the fetch settings that Faust fixes in its code."""

    app: StreamApp

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        kafka = self.app.settings.kafka
        # Faust waits up to 1500 ms in each fetch, whatever its configuration says. The embedded
        # broker does not end a fetch when data arrives, so that would be its latency.
        consumer._fetch_max_wait_ms = fetch_max_wait_ms(kafka)
        consumer._fetch_min_bytes = kafka.fetch_min_bytes
        return consumer

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
        self._batched_topic: str = self.app.settings.topics.events
        self._batch_records_max: int = self.app.settings.worker.batch_records_max
        self._next_fetch: dict[TP, int] = {}
        self._gaps_asked_again: dict[TP, int] = {}
        self.n_missing_offsets = 0

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch once and yield (partition, message), round robin over the partitions.

        What is dropped here has been fetched before a seek that is still to come, or is asked for
        again: a fetch that was dropped without either would be missed only when the next event
        of its partition arrives.
        """
        records, active_partitions = await self._wait_next_records(timeout)
        generation_id = self.app.consumer_generation_id
        if not records or self.should_stop:
            return
        batches: dict[TP, list[RecordBatch]] = {}
        others: dict[TP, list[ConsumerRecord]] = {}
        for topic_partition, run in records.items():
            tp = ensure_TP(topic_partition)
            if self._is_batched(tp):
                batches[tp] = await self._split(tp, run)
            else:
                others[tp] = list(run)
        active = active_partitions or ()
        in_turn = (batch for _, batch in self.scheduler.iterate(batches))
        for packed in pack(in_turn, self._batch_records_max):
            ready = await self._ready(packed, active, generation_id)
            if not self._flows(generation_id):
                return  # the next assignment tells every partition where to go on
            if ready:
                yield self._to_batch_message(ready, generation_id)
        for tp, record in self.scheduler.iterate(others):
            if not self._flows(generation_id):
                return
            if tp in active or tp in self._buffered_partitions:
                yield tp, self._to_message(tp, record)

    def on_buffer_full(self, tp: TP) -> None:
        """Pause a partition, but none of events: a message of these belongs to several."""
        if not self._is_batched(tp):
            super().on_buffer_full(tp)

    async def rewind(self, positions: Mapping[TP, int]) -> None:
        """Fetch next from these offsets; what was fetched from others is dropped on arrival."""
        self._next_fetch.update(positions)
        if positions:
            await self.seek_wait(positions)

    async def commit_offsets(self, offsets: Mapping[int, int]) -> bool:
        """Commit offsets of the events topic; say whether the group still takes them from us."""
        positions = {TP(self._batched_topic, partition): at for partition, at in offsets.items()}
        commit = self.app.sensors.on_commit_initiated(self)
        if not await self._thread.commit_as_member(positions):
            return False
        self._committed_offset.update(positions)
        self.app.monitor.on_tp_commit(positions)
        self.app.sensors.on_commit_completed(self, commit)
        return True

    async def perform_seek(self) -> None:
        """Seek every assigned partition of events to where the recovered state ends."""
        assignment = {ensure_TP(tp) for tp in self.assignment()}
        if any(tp.topic != self._batched_topic for tp in assignment):
            await super().perform_seek()
        positions = {
            TP(self._batched_topic, partition): offset
            for partition, offset in self._progress().start_offsets().items()
        }
        self._gaps_asked_again.clear()
        await self.rewind({tp: at for tp, at in positions.items() if tp in assignment})

    def _committable_offsets(self) -> Mapping[int, int]:
        return {} if self.app.assignment is None else self._progress().committable_offsets()

    def _progress(self) -> Progress:
        assert self.app.assignment is not None
        return self.app.assignment

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        yield from (
            tp for tp in super()._filter_tps_with_pending_acks(topics) if not self._is_batched(tp)
        )
        for partition in self._committable_offsets():
            tp = TP(self._batched_topic, partition)
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        if self._is_batched(tp):
            return self._committable_offsets().get(tp.partition)
        offset: int | None = super()._new_offset(tp)
        return offset

    def _is_batched(self, tp: TP) -> bool:
        return tp.topic == self._batched_topic

    def _flows(self, generation_id: int) -> bool:
        """Say whether what was fetched in a generation of the group is still wanted."""
        return bool(self.flow_active and generation_id == self.app.consumer_generation_id)

    async def _split(self, tp: TP, records: Sequence[ConsumerRecord]) -> list[RecordBatch]:
        """Cut what one fetch brought into batches; nothing where it has to be asked again."""
        start = self._next_fetch.setdefault(tp, records[0].offset)
        wanted = [record for record in records if record.offset >= start]
        if not wanted or await self._asks_again(tp, start, wanted[0].offset):
            return []
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        return cut(wanted, start, self._batch_records_max)

    async def _ready(
        self, packed: Sequence[RecordBatch], active: Collection[TP], generation_id: int
    ) -> list[RecordBatch]:
        """Leave out what a rewind made void, and paused partitions, which are fetched again."""
        for batch in packed:
            tp = self._partition_of(batch)
            is_paused = tp not in active and batch.start == self._next_fetch[tp]
            if is_paused and self._flows(generation_id):
                await self._ask_again_for(tp)
        return [
            batch
            for batch in packed
            if (tp := self._partition_of(batch)) in active and batch.start == self._next_fetch[tp]
        ]

    def _partition_of(self, batch: RecordBatch) -> TP:
        return TP(self._batched_topic, batch.partition)

    async def _ask_again_for(self, tp: TP) -> None:
        if tp in self.assignment():
            await self.rewind({tp: self._next_fetch[tp]})

    async def _asks_again(self, tp: TP, start: int, first: int) -> bool:
        """Seek back to a gap the first time it is met; count it when it is still there."""
        if first == start:
            return False
        if self._gaps_asked_again.get(tp) != start:
            self._gaps_asked_again[tp] = start
            await self.rewind({tp: start})
            return True
        self.n_missing_offsets += first - start
        self.log.warning(
            "%s-%d: offsets %d to %d do not exist (transaction markers, or deleted by retention "
            "before they were read)",
            *(tp.topic, tp.partition, start, first - 1),
        )
        return False

    def _to_batch_message(
        self, batches: list[RecordBatch], generation_id: int
    ) -> tuple[TP, ConsumerMessage]:
        """Return a message in the name of its first partition.

        Faust drops a message that is behind what it has read of the partition that it names. So it
        never is: what has been read is known by partition in the processor, which asks again.
        """
        for batch in batches:
            self._next_fetch[self._partition_of(batch)] = batch.last + 1
        first, tp = batches[0], self._partition_of(batches[0])
        last = first.records[-1]
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            max(first.last, self._read_offset[tp] or 0),
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            cast(bytes, batches),
            None,
            tp=tp,
            generation_id=generation_id,
        )
        return tp, message


class BatchTransport(driver.Transport):
    """aiokafka for reading and for the consumer group, librdkafka for writing."""

    Consumer: ClassVar[type[BatchConsumer]] = BatchConsumer
    Producer: ClassVar[type[LibrdkafkaProducer]] = LibrdkafkaProducer
