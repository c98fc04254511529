"""Follows partitions of topics without a group, from given offsets on, in a thread of its own.

Batches are handed to a coroutine of the event loop, and the thread waits until it is done: so what
waits is bounded by librdkafka's own queue. A batch is what comes within a few milliseconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import NamedTuple, cast

import confluent_kafka

from stream_rec.errors import StateError
from stream_rec.kafka_clients import confluent_consumer_config
from stream_rec.serving.cache import At
from stream_rec.settings import KafkaSettings
from stream_rec.stream.changelog import Headers

POLL_TIMEOUT_S = 0.1
ANSWER_TIMEOUT_S = 1.0
ASK_INTERVAL_S = 1.0
QUEUE_KIB_MAX = 32_768


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
    linger_s : float
        How long a batch is waited for: each costs the event loop as much as some ten records.

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
        linger_s: float,
    ) -> None:
        self._kafka = kafka
        self._starts = dict(starts)
        self._handle = handle
        self._fail = fail
        self._batch_max = batch_max
        self._linger_s = linger_s
        self._stopping = threading.Event()
        self._position: dict[At, int] = {}
        self._ends: dict[At, int] = {}
        self._asked_s = 0.0
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
            finally:
                consumer.close()
        except (CancelledError, RuntimeError):
            if not self._stopping.is_set():
                raise
        except BaseException as error:
            self._loop.call_soon_threadsafe(self._fail, error)

    def _subscribe(self) -> confluent_kafka.Consumer:
        consumer = confluent_kafka.Consumer(
            confluent_consumer_config(
                self._kafka,
                group_id=f"unused-{uuid.uuid4()}",
                auto_offset_reset="earliest",
                enable_partition_eof=True,
                queued_max_messages_kbytes=QUEUE_KIB_MAX,
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
        if first is None:
            return
        more = consumer.consume(self._batch_max - 1, self._linger_s) if self._batch_max > 1 else []
        reached: dict[At, int] = {}
        records = self._records([first, *more], reached)
        if records and not self._stopping.is_set():
            asyncio.run_coroutine_threadsafe(self._deliver(records), self._loop).result()
        self._position |= reached
        self._loop.call_soon_threadsafe(self.on_progress)

    async def _deliver(self, records: Sequence[Followed]) -> None:
        await self._handle(records)

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
