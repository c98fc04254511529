"""Bulk reading of changelog partitions, and what is known about the events topic.

A librdkafka consumer without a group reads by partition and offset. Its calls run in one thread of
their own, so that heartbeats and the event loop go on, and hand over up to 10,000 records at once:
Faust's own recovery takes the same records one by one. A read is finished when the consumer's
position reaches the end, not when the last record is seen: the end of a compacted topic may hold
no record any more.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeVar, cast

import confluent_kafka
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from stream_rec.errors import StateError
from stream_rec.garbage import without_collection
from stream_rec.kafka_clients import confluent_config, confluent_reader_config
from stream_rec.settings import KafkaSettings
from stream_rec.stream.asking import ATTEMPT_TIMEOUT_S, ask, is_refusal
from stream_rec.stream.changelog import NO_TOPIC_ID, Headers, decode_epoch
from stream_rec.stream.effects import LogRecord, Source
from stream_rec.stream.plan import REBUILD
from stream_rec.stream.read_progress import ReadProgress

RECORDS_PER_CALL_MAX = 10_000
POLL_TIMEOUT_S = 0.1
# A broker answers the requests of a connection one after the other, so a fetch that waits for data
# at the end of one partition would hold up the first request for the next.
FETCH_WAIT_MAX_MS = 1
STALLED_POLLS_MAX = 300

Result = TypeVar("Result")


class LogReader:
    """Reads stretches of partitions; one at a time.

    Parameters
    ----------
    kafka : KafkaSettings
        Address, security, fetch limits.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changelog-reader")
        self._one_at_a_time = asyncio.Lock()
        self._consumer: confluent_kafka.Consumer | None = None
        self.progress = ReadProgress(time.monotonic)

    async def read(
        self, topic: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[Sequence[LogRecord], None]:
        """Yield the records with start ≤ offset < end, in batches.

        Raises
        ------
        StateError
            The first of them are gone, or the broker sends nothing more before the end is reached.
        """
        if start >= end:
            return
        async with self._one_at_a_time:
            await self._check_start(topic, partition, start)
            with without_collection():
                await self._call(self._seek, topic, partition, start)
                position, n_stalled = start, 0
                self.progress.begin(topic, partition, start, end)
                taking = self._begin(self._take, topic, partition, position, end)
                while position < end:
                    records, reached = await taking
                    n_stalled = 0 if reached > position else n_stalled + 1
                    position = reached
                    if position < end:  # the next are on their way while these are used
                        taking = self._begin(self._take, topic, partition, position, end)
                    self.progress.advance(position, len(records))
                    if records:
                        yield records
                    if n_stalled > STALLED_POLLS_MAX:
                        raise StateError(
                            f"{topic}, partition {partition}: expected records up to offset "
                            f"{end - 1}, came none after {position - 1} for "
                            f"{STALLED_POLLS_MAX * POLL_TIMEOUT_S:.0f} s"
                        )
                await self._call(self._client().unassign)

    async def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset that exists and the next that will.

        Raises
        ------
        KafkaUnreachableError
            No broker answered in time.
        """
        first, end = await self._call(self._ask, lambda: self._watermark_offsets(topic, partition))
        return first, end

    async def describe(self, topic: str) -> Source:
        """Return the number of partitions of a topic and its id, zeros where none is told.

        Raises
        ------
        KafkaUnreachableError
            No broker answered in time.
        """
        return await self._call(self._ask, lambda: self._describe(topic))

    async def close(self) -> None:
        """Close the consumer and its thread."""
        await self._call(self._close)
        self._thread.shutdown()

    async def _call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        return await self._begin(function, *arguments)

    async def _check_start(self, topic: str, partition: int, start: int) -> None:
        """See that a log begins no later than what is to be read of it.

        Compaction leaves gaps and does not move the beginning: only retention, or somebody who
        deletes records, does. The embedded broker keeps no more than the last megabytes.
        """
        if self._kafka.embedded:
            return
        first, _ = await self.offsets(topic, partition)
        if first > start:
            raise StateError(
                f"{topic}, partition {partition}: expected records from offset {start} on, came a "
                f"log that begins at {first}: retention or somebody has deleted records, and rows "
                "are missing; rebuild the model from the events topic under another app_id: "
                f"{REBUILD}"
            )

    def _begin(self, function: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _client(self) -> confluent_kafka.Consumer:
        if self._consumer is None:
            self._consumer = confluent_kafka.Consumer(
                confluent_reader_config(
                    self._kafka,
                    enable_partition_eof=True,
                    fetch_wait_max_ms=FETCH_WAIT_MAX_MS,
                )
            )
        return self._consumer

    def _seek(self, topic: str, partition: int, start: int) -> None:
        self._client().assign([confluent_kafka.TopicPartition(topic, partition, start)])

    def _take(
        self, topic: str, partition: int, position: int, end: int
    ) -> tuple[list[LogRecord], int]:
        """Take what is there; return it and the offset before which nothing more will come."""
        n_wanted = min(end - position, RECORDS_PER_CALL_MAX)
        messages = self._client().consume(n_wanted, POLL_TIMEOUT_S)
        if any(error is not None for error in map(Message.error, messages)):
            for message in messages:
                position = max(position, _end_seen(message, topic, partition))
            messages = [message for message in messages if message.error() is None]
        records = _to_records(messages)
        if records:
            position = max(position, records[-1].offset + 1)
        return records[: bisect_left(records, end, key=itemgetter(0))], position

    def _ask(self, question: Callable[[], Result]) -> Result:
        return ask(question, self._kafka.broker, self._kafka.request_timeout_s)

    def _watermark_offsets(self, topic: str, partition: int) -> tuple[int, int]:
        offsets: tuple[int, int] = self._client().get_watermark_offsets(
            confluent_kafka.TopicPartition(topic, partition), ATTEMPT_TIMEOUT_S, cached=False
        )
        return offsets

    def _describe(self, topic: str) -> Source:
        client = AdminClient(confluent_config(self._kafka))
        listed = client.list_topics(topic, timeout=ATTEMPT_TIMEOUT_S)
        n_partitions = len(listed.topics[topic].partitions)
        if self._kafka.embedded:
            return Source(n_partitions, NO_TOPIC_ID)
        topics = confluent_kafka.TopicCollection([topic])
        described = client.describe_topics(topics, request_timeout=ATTEMPT_TIMEOUT_S)[
            topic
        ].result()
        return Source(n_partitions, _to_bytes(described.topic_id))

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _end_seen(message: Message, topic: str, partition: int) -> int:
    """Return the end of the partition where this is the word of it, else 0.

    Raises
    ------
    StateError
        The partition cannot be read.
    """
    error = message.error()
    if error is None:
        return 0
    if error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
        return cast(int, message.offset())
    if is_refusal(error):
        raise StateError(f"{topic}, partition {partition}: {error.str()}")
    return 0


def _to_records(messages: Sequence[Message]) -> list[LogRecord]:
    """Take messages apart, column by column: a restore spends most of its time here."""
    headers = cast("list[Headers | None]", list(map(Message.headers, messages)))
    epochs: Iterable[int] = map(decode_epoch, headers)
    if headers and headers.count(headers[0]) == len(headers):  # as in long runs of one owner
        epochs = repeat(decode_epoch(headers[0]))
    keys = [key or b"" for key in map(Message.key, messages)]
    offsets, values = map(Message.offset, messages), map(Message.value, messages)
    return list(map(LogRecord, cast("Iterable[int]", offsets), keys, values, epochs))


def _to_bytes(topic_id: Any) -> bytes:
    high: int
    low: int
    high, low = topic_id.get_most_significant_bits(), topic_id.get_least_significant_bits()
    return high.to_bytes(8, "big", signed=True) + low.to_bytes(8, "big", signed=True)
