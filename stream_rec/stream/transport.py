"""Faust's Kafka transport, handing agents record batches instead of records.

Faust spends about 65 µs on each message. Here one message is a run of up to N records of one
partition, taken as they are at hand (nothing waits for a batch to fill):

    message.value  = RecordBatch(records, start)
    message.offset = offset of the last record

Guarantees
- A batch starts where the one before it ended: ``start`` is the offset that was asked for, and
  every offset from ``start`` to the last one is in the batch or does not exist in the topic.
  When a fetch skips offsets, the consumer seeks back and asks once more before it believes it
  (transaction markers are such gaps; so are records that retention has deleted).
- What may be committed is decided by the durable watermark alone, never by Faust's lists of
  acknowledged messages, which can commit past events that were not processed.
- On assignment every partition is told where to start, also where nothing was ever committed.

Only the topic of events is batched; other topics of an application behave as in Faust.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

import aiokafka
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata, TopicPartition
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream_rec.kafka_clients import fetch_max_wait_ms
from stream_rec.stream.producer import LibrdkafkaProducer

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp


class RecordBatch(NamedTuple):
    """A run of records of one partition, in offset order, never empty."""

    records: Sequence[ConsumerRecord]
    start: int

    @property
    def last(self) -> int:
        """Offset of the last record."""
        return int(self.records[-1].offset)


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
    """Consumer that yields one Faust message per run of records of the events topic."""

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
        units = {tp: await self._split(ensure_TP(tp), run) for tp, run in records.items()}
        for topic_partition, unit in self.scheduler.iterate(units):
            tp = ensure_TP(topic_partition)
            if not self.flow_active or generation_id != self.app.consumer_generation_id:
                return  # the next assignment tells every partition where to go on
            if tp not in (active_partitions or ()) and tp not in self._buffered_partitions:
                await self._ask_again_for(tp)
                continue
            if isinstance(unit, RecordBatch):
                self._next_fetch[tp] = unit.last + 1
                yield tp, self._to_batch_message(tp, unit, generation_id)
            else:
                yield tp, self._to_message(tp, unit)

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

    async def _split(self, tp: TP, records: Sequence[ConsumerRecord]) -> list[Any]:
        """Cut what one fetch brought into batches; nothing where it has to be asked again."""
        if not self._is_batched(tp):
            return list(records)
        start = self._next_fetch.setdefault(tp, records[0].offset)
        wanted = [record for record in records if record.offset >= start]
        if not wanted or await self._asks_again(tp, start, wanted[0].offset):
            return []
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        batches = []
        for first in range(0, len(wanted), self._batch_records_max):
            batch = RecordBatch(wanted[first : first + self._batch_records_max], start)
            batches.append(batch)
            start = batch.last + 1
        return batches

    async def _ask_again_for(self, tp: TP) -> None:
        if self._is_batched(tp) and tp in self.assignment():
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

    def _to_batch_message(self, tp: TP, batch: RecordBatch, generation_id: int) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            batch.last,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            cast(bytes, batch),
            None,
            tp=tp,
            generation_id=generation_id,
        )


class BatchTransport(driver.Transport):
    """aiokafka for reading and for the consumer group, librdkafka for writing."""

    Consumer: ClassVar[type[BatchConsumer]] = BatchConsumer
    Producer: ClassVar[type[LibrdkafkaProducer]] = LibrdkafkaProducer
