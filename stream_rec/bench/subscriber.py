"""The receiving end of the latency measurement: notes when which event's record arrived."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
from confluent_kafka import OFFSET_END, Consumer, Message, TopicPartition
from numpy.typing import NDArray

from stream_rec.bench.events import number_of_time
from stream_rec.kafka_clients import confluent_consumer_config
from stream_rec.settings import KafkaSettings

POLL_TIMEOUT_S = 0.1
RECORDS_MAX = 1000
UNUSED_GROUP = "stream-rec-bench"
CONNECT_TIMEOUT_S = 30.0


class _Source(msgspec.Struct):
    ts: float


class _Timed(msgspec.Struct):
    """An event, which has its time, or a list, which has it in its source."""

    ts: float | None = None
    source: _Source | None = None


class Subscriber:
    """Follows a topic from its present end on.

    Parameters
    ----------
    kafka : KafkaSettings
    topic : str
    n_partitions : int
    """

    def __init__(self, kafka: KafkaSettings, topic: str, n_partitions: int) -> None:
        self._consumer = Consumer(confluent_consumer_config(kafka, UNUSED_GROUP, log_level=0))
        ends = []
        for partition in range(n_partitions):
            end = TopicPartition(topic, partition, OFFSET_END)
            # The end as of now, not as of the first fetch, which comes later.
            end.offset = self._consumer.get_watermark_offsets(end, CONNECT_TIMEOUT_S)[1]
            ends.append(end)
        self._consumer.assign(ends)
        self._consumer.poll(0)
        self._decoder = msgspec.json.Decoder(_Timed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def receive(self, first: int, n_events: int, deadline_s: float) -> NDArray[np.float64]:
        """Wait for the records of some events.

        Parameters
        ----------
        first, n_events : int
            Numbers of the events.
        deadline_s : float
            On the monotonic clock.

        Returns
        -------
        float64[n_events]
            When each first arrived, on the monotonic clock; NaN where none has by the deadline.
        """
        arrived_s: NDArray[np.float64] = np.full(n_events, np.nan)
        n_missing = n_events
        while n_missing and (now_s := time.monotonic()) < deadline_s:
            message = self._consumer.poll(min(POLL_TIMEOUT_S, deadline_s - now_s))
            if message is None:
                continue
            messages = [message, *self._consumer.consume(RECORDS_MAX, 0)]
            now_s = time.monotonic()
            for number in map(self._number, messages):
                if 0 <= number - first < n_events and np.isnan(arrived_s[number - first]):
                    arrived_s[number - first] = now_s
                    n_missing -= 1
        return arrived_s

    def _number(self, message: Message) -> int:
        value = message.value()
        if message.error() is not None or value is None:
            return -1
        timed = self._decoder.decode(value)
        return number_of_time(timed.source.ts if timed.source else timed.ts or 0.0)
