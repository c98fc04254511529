"""Load that runs beside a measurement: a sender whose rate may change, and who waits for lists.

with SteadySender(settings, population, rate=500) as sender, Gaps(settings) as gaps:
    sender.rate = 5_000
    gaps.worst_s()      the longest time without a list so far, by partition
"""

from __future__ import annotations

import threading
import time
from itertools import cycle
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from stream_rec.bench.events import EVENTS_PER_S, FIRST_TIME_S, Population, draw_events
from stream_rec.kafka_clients import (
    PARTITIONER,
    confluent_consumer_config,
    confluent_producer_config,
)
from stream_rec.settings import Settings

FLUSH_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 30.0
POLL_TIMEOUT_S = 0.05
RECORDS_MAX = 200
N_DRAWN = 200_000
TICK_S = 0.005


class _Background:
    """A thread that runs as long as the context lasts."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        raise NotImplementedError


class SteadySender(_Background):
    """Sends events, each user's to one partition, at a rate that may be set at any time.

    Parameters
    ----------
    settings : Settings
    population : Population
        Drawn anew every `N_DRAWN` events, with later times.
    rate : float
        Events per second.
    """

    def __init__(self, settings: Settings, population: Population, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.n_sent = 0
        self._topic = settings.topics.events
        self._producer = Producer(
            confluent_producer_config(settings.kafka, partitioner=PARTITIONER)
        )
        users, items = draw_events(population, N_DRAWN)
        self._drawn = cycle(zip(users.tolist(), items.tolist(), strict=True))

    def _run(self) -> None:
        last_s, due = time.monotonic(), 0.0
        while not self._stopping.wait(TICK_S):
            now_s = time.monotonic()
            due += (now_s - last_s) * self.rate
            last_s = now_s
            for _ in range(int(due)):
                self._send()
            due -= int(due)
            self._producer.poll(0)
        self._producer.flush(FLUSH_TIMEOUT_S)

    def _send(self) -> None:
        user, item = next(self._drawn)
        seconds, rest = divmod(self.n_sent, EVENTS_PER_S)
        value = b'{"user":"u%d","item":"i%d","type":"click","ts":%d.%03d}'
        event = value % (user, item, FIRST_TIME_S + seconds, rest * 1_000 // EVENTS_PER_S)
        try:
            self._producer.produce(self._topic, event, b"u%d" % user)
        except BufferError:
            self._producer.poll(POLL_TIMEOUT_S)
            return
        self.n_sent += 1


class Gaps(_Background):
    """Follows the lists and keeps, by partition, the longest time between two arrivals.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._consumer = Consumer(
            confluent_consumer_config(settings.kafka, "stream-rec-bench", log_level=0)
        )
        topic, n_partitions = settings.topics.recommendations, settings.topics.partitions
        self._consumer.assign([TopicPartition(topic, p, OFFSET_END) for p in range(n_partitions)])
        self._n_partitions = n_partitions
        self._last_s: dict[int, float] = {}
        self._worst_s: dict[int, float] = {}

    @property
    def is_complete(self) -> bool:
        """Whether a list has come of every partition."""
        return len(self._last_s) == self._n_partitions

    def reset(self) -> None:
        """Begin anew."""
        self._worst_s = {}

    def worst_s(self) -> list[float]:
        """Return the longest gap so far by partition, the present one included, in seconds."""
        now_s = time.monotonic()
        return [
            max(self._worst_s.get(partition, 0.0), now_s - self._last_s.get(partition, now_s))
            for partition in range(self._n_partitions)
        ]

    def _run(self) -> None:
        while not self._stopping.is_set():
            messages = self._consumer.consume(RECORDS_MAX, POLL_TIMEOUT_S)
            now_s = time.monotonic()
            for message in messages:
                if message.error() is not None:
                    continue
                partition = int(message.partition() or 0)
                gap_s = now_s - self._last_s.get(partition, now_s)
                self._worst_s[partition] = max(self._worst_s.get(partition, 0.0), gap_s)
                self._last_s[partition] = now_s
        self._consumer.close()
