"""Reads the partitions of events that a worker owns, each from an offset on.

A librdkafka consumer without a group; who owns what is aiokafka's business. librdkafka fetches
ahead in threads of its own, without Python's lock, so what is taken is all that has come until
then. aiokafka asks for a partition again only when what it had fetched is taken: an event that
comes a moment too late waits for two more rounds of the worker.

Fairness between partitions: what is fetched ahead is taken in the order in which it came. So it is
little of each partition, 64 KiB or one batch of its producer: an event of one that has no backlog
waits for that much of the others.

A consumer of confluent-kafka lets one call in at a time: what others call while the thread waits
for a record waits along. So what may come then is called in that thread, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import confluent_kafka
from confluent_kafka import Message, TopicPartition

from stream_rec.errors import StateError
from stream_rec.kafka_clients import confluent_reader_config
from stream_rec.settings import KafkaSettings
from stream_rec.stream.asking import is_refusal
from stream_rec.stream.batches import EventRecord
from stream_rec.stream.changelog import Headers

POLL_TIMEOUT_S = 0.1
PARTITION_FETCH_BYTES_MAX = 65_536
FETCHED_KIB_MAX = 16_384
FETCHED_RECORDS_MIN = 256
"""The next fetch is sent when fewer are left of all partitions: some ten milliseconds of work."""
FULL_LOOK_INTERVAL_MS = 5
"""How often librdkafka looks whether fewer are left."""

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class EventReader:
    """Takes what has come of some partitions of one topic.

    Parameters
    ----------
    kafka : KafkaSettings
    topic : str
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-reader")
        self._consumer: confluent_kafka.Consumer | None = None
        self._assigned: set[int] = set()
        self._ends: dict[int, int] = {}
        self._waiting: asyncio.Future[list[Message]] | None = None

    async def assign(self, next_offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, and no others."""
        if next_offsets or self._consumer is not None:
            self._assigned = set(next_offsets)
            places = self._places(next_offsets)
            await self._in_thread(lambda: self._client().assign(places))

    def seek(self, next_offsets: Mapping[int, int]) -> None:
        """Go on from these offsets with those of these partitions that are read already.

        Not while a `take` waits.
        """
        places = self._places({p: at for p, at in next_offsets.items() if p in self._assigned})
        self._client().incremental_unassign(places)
        self._client().incremental_assign(places)

    async def take(self, records_max: int) -> dict[int, list[EventRecord]]:
        """Return what has come by partition, in offset order; wait a moment if that is nothing.

        Raises
        ------
        StateError
            Kafka refuses the reading.
        """
        if self._waiting is None:
            messages = self._client().consume(records_max, 0)
            if not messages:
                self._waiting = self._in_thread(lambda: self._wait(records_max))
        if self._waiting is not None:  # also where whoever waited for it before was cancelled
            messages = await asyncio.shield(self._waiting)
            self._waiting = None
        runs: dict[int, list[EventRecord]] = {}
        for message in messages:
            if message.error() is None:
                record = _to_record(message)
                runs.setdefault(record.partition, []).append(record)
            else:
                self._heed(message)
        for partition in runs:
            place = TopicPartition(self._topic, partition)
            _, self._ends[partition] = self._client().get_watermark_offsets(place, cached=True)
        return runs

    def highwater(self, partition: int) -> int | None:
        """Return the offset of the next event to come, as of when some came; None before that."""
        return self._ends.get(partition)

    async def close(self) -> None:
        """Close the consumer and its thread."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await self._in_thread(consumer.close)
        self._thread.shutdown()

    def _in_thread(self, call: Callable[[], Result]) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _client(self) -> confluent_kafka.Consumer:
        if self._consumer is None:
            fetch_bytes_max = min(self._kafka.fetch_partition_bytes_max, PARTITION_FETCH_BYTES_MAX)
            self._consumer = confluent_kafka.Consumer(
                confluent_reader_config(
                    self._kafka,
                    isolation_level="read_uncommitted",
                    fetch_min_bytes=min(self._kafka.fetch_min_bytes, fetch_bytes_max),
                    max_partition_fetch_bytes=fetch_bytes_max,
                    queued_max_messages_kbytes=FETCHED_KIB_MAX,
                    queued_min_messages=FETCHED_RECORDS_MIN,
                    fetch_queue_backoff_ms=FULL_LOOK_INTERVAL_MS,
                    check_crcs=True,
                    error_cb=_ignore,
                )
            )
        return self._consumer

    def _places(self, next_offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, p, at) for p, at in next_offsets.items()]

    def _wait(self, records_max: int) -> list[Message]:
        """Wait for a record; return it and what came with it. `consume` would wait for the last."""
        first = self._client().poll(POLL_TIMEOUT_S)
        if first is None:
            return []
        return [first, *self._client().consume(records_max - 1, 0)]

    def _heed(self, message: Message) -> None:
        error = message.error()
        assert error is not None
        if is_refusal(error):
            raise StateError(
                f"expected to read events of {self._topic}, partition {message.partition()}, came: "
                f"{error.str()}; check what this worker's user may read"
            )
        logger.warning("reading %s goes on after: %s", self._topic, error.str())


def _to_record(message: Message) -> EventRecord:
    return EventRecord(
        cast(str, message.topic()),
        cast(int, message.partition()),
        cast(int, message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value(),
        cast("Headers | None", message.headers()) or [],
    )


def _ignore(_: confluent_kafka.KafkaError) -> None:
    """A connection that breaks is made again, and whether Kafka answers at all, others watch."""
