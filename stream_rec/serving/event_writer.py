"""Writes events to Kafka and tells where they are, once Kafka has acknowledged them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import NamedTuple

import confluent_kafka

from stream_rec.kafka_clients import MESSAGE_BYTES_MAX, PARTITIONER, confluent_producer_config
from stream_rec.settings import Settings
from stream_rec.stream.changelog import FRAME_BYTES, Headers, bytes_of_headers

POLL_TIMEOUT_S = 0.1


class Written(NamedTuple):
    """Where a record is."""

    topic: str
    partition: int
    offset: int


class KafkaAwayError(Exception):
    """Kafka did not acknowledge in time, or too much waits for it already."""


class TooLargeError(Exception):
    """Kafka takes no record as large as some of these; none was written.

    Attributes
    ----------
    sizes : dict of int to int
        Bytes that each of them takes, by its place.
    """

    def __init__(self, sizes: dict[int, int]) -> None:
        super().__init__(f"expected records of at most {MESSAGE_BYTES_MAX} bytes")
        self.sizes = sizes


class EventWriter:
    """One producer and the thread that takes its acknowledgements.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._in_flight_max = settings.serve.events_in_flight_max
        self._topic = settings.topics.events
        self._producer = confluent_kafka.Producer(
            confluent_producer_config(
                settings.kafka,
                partitioner=PARTITIONER,
                delivery_timeout_ms=settings.serve.delivery_timeout_ms,
                linger_ms=0,
            )
        )
        self._loop = asyncio.get_running_loop()
        self._stopping = threading.Event()
        self._done: list[tuple[asyncio.Future[Written], Written | None]] = []
        self._thread = threading.Thread(target=self._poll, name="event-writer", daemon=True)
        self.n_in_flight = 0

    def start(self) -> None:
        """Start to take acknowledgements."""
        self._thread.start()

    async def stop(self, timeout_s: float) -> None:
        """Wait for what is under way, at most so long."""
        await asyncio.to_thread(self._producer.flush, timeout_s)
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    async def write(
        self, records: Sequence[tuple[bytes, bytes]], headers: Headers | None = None
    ) -> list[Written]:
        """Write keys and values; return where each is, when all are acknowledged.

        All records get the same headers.

        Raises
        ------
        TooLargeError
            None was written.
        KafkaAwayError
            Some may have been written all the same.
        """
        frame = FRAME_BYTES + bytes_of_headers(headers or [])
        sizes = [frame + len(key) + len(value) for key, value in records]
        if max(sizes, default=0) > MESSAGE_BYTES_MAX:
            too_large = {x: size for x, size in enumerate(sizes) if size > MESSAGE_BYTES_MAX}
            raise TooLargeError(too_large)
        if self.n_in_flight + len(records) > self._in_flight_max:
            raise KafkaAwayError("too many events wait for Kafka's acknowledgement")
        futures = [self._produce(key, value, headers or []) for key, value in records]
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, Written)]

    def _produce(self, key: bytes, value: bytes, headers: Headers) -> asyncio.Future[Written]:
        future: asyncio.Future[Written] = self._loop.create_future()
        self.n_in_flight += 1

        def on_delivery(
            error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message
        ) -> None:
            place = None
            if error is None:
                place = Written(
                    self._topic, int(message.partition() or 0), int(message.offset() or 0)
                )
            self._done.append((future, place))

        try:
            self._producer.produce(
                self._topic, value, key, on_delivery=on_delivery, headers=headers
            )
        except BufferError:
            self._done.append((future, None))
        except confluent_kafka.KafkaException as error:
            self.n_in_flight -= 1
            future.set_exception(KafkaAwayError(f"Kafka does not take the event: {error}"))
        except BaseException:
            self.n_in_flight -= 1
            raise
        return future

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(POLL_TIMEOUT_S)
            if self._done:
                done, self._done = self._done, []
                self._loop.call_soon_threadsafe(self._resolve, done)

    def _resolve(self, done: list[tuple[asyncio.Future[Written], Written | None]]) -> None:
        self.n_in_flight -= len(done)
        for future, place in done:
            if future.done():
                continue
            if place is None:
                future.set_exception(KafkaAwayError("Kafka did not acknowledge the event in time"))
            else:
                future.set_result(place)
