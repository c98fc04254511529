"""Reads the ends of many partitions of a changelog as they grow, from a thread of its own.

A librdkafka consumer without a group. `LogReader` reads one stretch after the other up to an end
that is known; this one reads all at once and never ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import confluent_kafka

from stream_rec.errors import StateError
from stream_rec.kafka_clients import confluent_reader_config, fetch_max_wait_ms
from stream_rec.settings import KafkaSettings
from stream_rec.stream.asking import is_refusal
from stream_rec.stream.changelog import NO_EPOCH, Headers, decode_epoch
from stream_rec.stream.effects import LogRecord

RECORDS_PER_CALL_MAX = 2_000
POLL_TIMEOUT_S = 0.1
FETCH_WAIT_MAX_MS = 100
MS_PER_S = 1_000

Result = TypeVar("Result")


@dataclass
class Taken:
    """The next records of one partition.

    Attributes
    ----------
    records : list of LogRecord
        In offset order; may be empty.
    newest_s : float
        Kafka's time of the last of them.
    is_end : bool
        Whether the partition had nothing more when they were taken.
    """

    records: list[LogRecord] = field(default_factory=list)
    newest_s: float = 0.0
    is_end: bool = False


class ChangelogTail:
    """Reads what comes in the partitions of one topic.

    Parameters
    ----------
    kafka : KafkaSettings
    topic : str
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changelog-tail")
        self._consumer: confluent_kafka.Consumer | None = None
        self._next: dict[int, int] = {}
        self._at_end: set[int] = set()
        self._is_cut_off = False

    async def assign(self, next_offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, and no others."""
        await self._call(self._assign, dict(next_offsets))

    async def take(self) -> dict[int, Taken]:
        """Wait a moment for records; return them for each partition with news, or at its end.

        Raises
        ------
        StateError
            Kafka refuses the reading.
        """
        return await self._call(self._take)

    async def close(self) -> None:
        """Close the consumer and its thread."""
        await self._call(self._close)
        self._thread.shutdown()

    async def _call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *arguments)

    def _client(self) -> confluent_kafka.Consumer:
        if self._consumer is None:
            wait_ms = min(FETCH_WAIT_MAX_MS, fetch_max_wait_ms(self._kafka))
            self._consumer = confluent_kafka.Consumer(
                confluent_reader_config(
                    self._kafka,
                    enable_partition_eof=True,
                    fetch_wait_max_ms=wait_ms,
                    error_cb=self._on_error,
                )
            )
        return self._consumer

    def _assign(self, next_offsets: dict[int, int]) -> None:
        self._next = next_offsets
        self._at_end.clear()
        self._client().assign(
            [confluent_kafka.TopicPartition(self._topic, p, at) for p, at in next_offsets.items()]
        )

    def _take(self) -> dict[int, Taken]:
        if self._is_cut_off:  # nobody knows whether an end is one until Kafka has said so anew
            self._is_cut_off = False
            self._assign(self._next)
        taken: dict[int, Taken] = {}
        headers, epoch = None, NO_EPOCH  # runs of records have the same
        for message in self._client().consume(RECORDS_PER_CALL_MAX, POLL_TIMEOUT_S):
            if message.error() is not None:
                self._note_end(message)
                continue
            if message.headers() != headers:
                headers = cast("Headers | None", message.headers())
                epoch = decode_epoch(headers)
            partition, offset = cast(int, message.partition()), cast(int, message.offset())
            one = taken.setdefault(partition, Taken())
            one.records.append(LogRecord(offset, message.key() or b"", message.value(), epoch))
            one.newest_s = message.timestamp()[1] / MS_PER_S
            self._next[partition] = offset + 1
            self._at_end.discard(partition)
        for partition in self._at_end:
            taken.setdefault(partition, Taken()).is_end = True
        return taken

    def _note_end(self, message: confluent_kafka.Message) -> None:
        error = message.error()
        assert error is not None
        if error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
            self._at_end.add(cast(int, message.partition()))
        elif is_refusal(error):
            raise StateError(f"{self._topic}, partition {message.partition()}: {error.str()}")

    def _on_error(self, error: confluent_kafka.KafkaError) -> None:
        if error.code() == confluent_kafka.KafkaError._ALL_BROKERS_DOWN:
            self._is_cut_off = True

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
