"""Follows partitions of topics without a group, from given offsets on, in a thread of its own.

Batches are handed to a coroutine of the event loop; the thread fetches the next one meanwhile, but
hands it over only when that is done: so what waits is bounded by librdkafka's own queue.

A batch is what a fetch brings. Kafka holds a fetch back for some milliseconds, so that more comes
with it: at 2,000 records/s, fetches that are answered at once take a third of a core on this side
alone, those that are held back for 4 ms a third of that, for 50 ms a twentieth.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from typing import NamedTuple, cast

import confluent_kafka

from stream_rec.errors import StateError
from stream_rec.kafka_clients import confluent_reader_config
from stream_rec.serving.cache import At
from stream_rec.settings import KafkaSettings
from stream_rec.stream.changelog import Headers

POLL_TIMEOUT_S = 0.1
ANSWER_TIMEOUT_S = 1.0
ASK_INTERVAL_S = 1.0
QUEUE_KIB_MAX = 32_768
FETCH_BYTES_MIN = 65_536
"""So much is not held back."""
LINGER_S = 0.001
"""How long the partitions of one fetch may come after each other."""
MS_PER_S = 1_000


class Followed(NamedTuple):
    """A record; the timestamp is Kafka's, in ms, negative where there is none."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    timestamp_ms: int
    headers: Headers | None


Handler = Callable[[Sequence[Followed]], Awaitable[None]]


class Follower:
    """One consumer and its thread.

    Parameters
    ----------
    kafka : KafkaSettings
    starts : Mapping[At, int]
        First offset wanted of each partition; −1: what comes from now on.
    handle : Handler
        Called in the event loop with each batch, in order.
    fail : callable
        Called in the event loop with an error that ends the following.
    batch_max : int
        Records of a batch.
    hold_s : float
        How long Kafka holds a fetch back, so how late a record may be.

    Attributes
    ----------
    answered_s : float
        Monotonic time of the last answer from Kafka.
    on_progress : callable
        Called in the event loop when it has come further, or knows better how far there is to go.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        starts: Mapping[At, int],
        handle: Handler,
        fail: Callable[[BaseException], None],
        batch_max: int,
        hold_s: float,
    ) -> None:
        self._kafka = kafka
        self._starts = dict(starts)
        self._handle = handle
        self._fail = fail
        self._batch_max = batch_max
        self._hold_s = hold_s
        self._stopping = threading.Event()
        self._position: dict[At, int] = {}
        self._ends: dict[At, int] = {}
        self._asked_s = 0.0
        self._delivery: Future[None] | None = None
        self.answered_s = time.monotonic()
        self.on_progress: Callable[[], object] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop after the present batch."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    @property
    def has_ends(self) -> bool:
        """Whether it is known how far every partition goes."""
        return len(self._ends) == len(self._starts)

    def lag_of(self, at: At) -> int:
        """Return how many offsets are still to come of a partition, as far as known."""
        return max(0, self._ends.get(at, 0) - self._position.get(at, 0))

    @property
    def lag(self) -> int:
        """Offsets that are still to come."""
        return sum(map(self.lag_of, self._starts))

    def end_of(self, at: At) -> int:
        """Return the offset that the next record of a partition will have, as far as known."""
        return self._ends.get(at, 0)

    def _run(self) -> None:
        try:
            consumer = self._subscribe()
            try:
                while not self._stopping.is_set():
                    self._ask_for_ends(consumer)
                    self._take(consumer)
                self._finish_delivery()
            finally:
                consumer.close()
        except BaseException as error:
            is_the_stop = isinstance(error, CancelledError | RuntimeError)
            if not (is_the_stop and self._stopping.is_set()):
                self._loop.call_soon_threadsafe(self._fail, error)

    def _subscribe(self) -> confluent_kafka.Consumer:
        consumer = confluent_kafka.Consumer(
            confluent_reader_config(
                self._kafka,
                enable_partition_eof=True,
                queued_max_messages_kbytes=QUEUE_KIB_MAX,
                fetch_min_bytes=FETCH_BYTES_MIN,
                fetch_wait_max_ms=round(self._hold_s * MS_PER_S),
            )
        )
        consumer.assign(
            [
                confluent_kafka.TopicPartition(
                    topic, partition, start if start >= 0 else confluent_kafka.OFFSET_END
                )
                for (topic, partition), start in self._starts.items()
            ]
        )
        self._position = {at: max(start, 0) for at, start in self._starts.items()}
        return consumer

    def _take(self, consumer: confluent_kafka.Consumer) -> None:
        first = consumer.poll(POLL_TIMEOUT_S)
        messages = (
            [] if first is None else [first, *consumer.consume(self._batch_max - 1, LINGER_S)]
        )
        reached: dict[At, int] = {}
        records = self._records(messages, reached)
        self._finish_delivery()
        if records and not self._stopping.is_set():
            delivery = self._deliver(records, reached)
            self._delivery = asyncio.run_coroutine_threadsafe(delivery, self._loop)
        elif reached:
            self._loop.call_soon_threadsafe(self._progress, reached)

    def _finish_delivery(self) -> None:
        """Wait until the last batch has been handled; raise what its handling has raised."""
        if self._delivery is not None:
            self._delivery.result()
            self._delivery = None

    async def _deliver(self, records: Sequence[Followed], reached: dict[At, int]) -> None:
        await self._handle(records)
        self._progress(reached)

    def _progress(self, reached: dict[At, int]) -> None:
        self._position |= reached
        self.on_progress()

    def _records(
        self, messages: Sequence[confluent_kafka.Message], reached: dict[At, int]
    ) -> list[Followed]:
        """Return the records among messages; note how far each partition is with them."""
        records = []
        for message in messages:
            error = message.error()
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            if error is None:
                assert topic is not None
                assert partition is not None
                assert offset is not None
                timestamp_ms = message.timestamp()[1]
                headers = cast("Headers | None", message.headers())
                key, value = message.key() or b"", message.value()
                records.append(
                    Followed(topic, partition, offset, key, value, timestamp_ms, headers)
                )
                reached[topic, partition] = offset + 1
            elif error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                reached[str(topic), int(partition or 0)] = int(offset or 0)
                self._ends[str(topic), int(partition or 0)] = int(offset or 0)
            elif error.code() == confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART or error.fatal():
                raise StateError(f"{topic}, partition {partition}: {error.str()}")
            self.answered_s = time.monotonic() if error is None else self.answered_s
        return records

    def _ask_for_ends(self, consumer: confluent_kafka.Consumer) -> None:
        """Learn how far the partitions go, which is also how it is learned that Kafka is there."""
        now_s = time.monotonic()
        if now_s - self._asked_s < ASK_INTERVAL_S:
            return
        self._asked_s = now_s
        try:
            consumer.list_topics(next(iter(self._starts))[0], timeout=ANSWER_TIMEOUT_S)
        except confluent_kafka.KafkaException:
            return
        self.answered_s = time.monotonic()
        for topic, partition in self._starts:
            there = confluent_kafka.TopicPartition(topic, partition)
            ends = consumer.get_watermark_offsets(there, cached=True)
            if ends is not None and ends[1] >= 0:
                known = self._ends.get((topic, partition), 0)
                if ends[1] > known or (topic, partition) in self._ends:
                    self._ends[topic, partition] = max(ends[1], known)
        self._loop.call_soon_threadsafe(self.on_progress)
