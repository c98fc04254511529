"""Send records with kafka-python so that none is lost unnoticed and memory stays bounded.

kafka-python accepts records as fast as they are given and keeps what the broker has not taken yet,
without a limit. So the oldest unacknowledged record is waited for once ``IN_FLIGHT_MAX`` are on
their way; its future also tells whether it failed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from stream_rec.config import KafkaSettings
from stream_rec.errors import ConfigError, DeliveryError, TopicError
from stream_rec.kafka_clients import kafka_python_producer_config

IN_FLIGHT_MAX = 20_000
FAILURES_MAX = 100
BATCH_BYTES = 131_072
BOOTSTRAP_TIMEOUT_MS = 10_000
TOPIC_TIMEOUT_MS = 10_000
CLOSE_TIMEOUT_S = 1.0


class Delivery:
    """Send records to one topic and account for every one of them.

    Parameters
    ----------
    producer : KafkaProducer
        Open; the caller closes it.
    topic : str
        Where the records go.

    Raises
    ------
    TopicError
        When the topic does not exist.
    DeliveryError
        When Kafka does not say whether it does.

    Attributes
    ----------
    n_acknowledged, n_failed : int
        Records that Kafka has, and that it certainly or possibly has not.
    first_failed_position : int or None
        Position, as given to `send`, of the first record that failed.
    last_error : str
        Why a record failed, for a person.
    """

    def __init__(self, producer: KafkaProducer, topic: str) -> None:
        self.n_acknowledged = 0
        self.n_failed = 0
        self.first_failed_position: int | None = None
        self.last_error = ""
        self._producer = producer
        self._topic = topic
        self._in_flight: deque[tuple[int, Any]] = deque()
        self._require_topic()

    def send(
        self,
        position: int,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Hand a record to Kafka; waits while too many are on their way.

        Raises
        ------
        DeliveryError
            After ``FAILURES_MAX`` failures: going on would only make the hole larger.
        """
        if self.n_failed >= FAILURES_MAX:
            raise DeliveryError(
                f"expected Kafka to acknowledge every record of topic {self._topic}, got "
                f"{self.n_failed} failures, the last: {self.last_error}; mend the cause and resume"
            )
        try:
            future = self._producer.send(self._topic, key=key, value=value, headers=headers)
        except KafkaError as error:
            self._count_failure(position, error)
            return
        self._in_flight.append((position, future))
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._settle_oldest()

    def drain(self) -> None:
        """Wait until every record was acknowledged or has failed; does not raise."""
        self._producer.flush()
        while self._in_flight:
            self._settle_oldest()

    def summary(self, verb: str, elapsed_s: float) -> str:
        """Return the closing line: events, rate, errors."""
        rate_per_s = self.n_acknowledged / max(elapsed_s, 1e-9)
        return (
            f"{verb} {self.n_acknowledged:,} events in {elapsed_s:.1f} s "
            f"({rate_per_s:,.0f} events/s), {self.n_failed:,} errors"
        )

    def _require_topic(self) -> None:
        try:
            partitions = self._producer.partitions_for(self._topic)
        except KafkaError as error:
            raise DeliveryError(
                f"expected Kafka to tell the partitions of topic {self._topic}, got {error}; "
                "create it with `stream-rec topics create` if it is missing, and see that the "
                "broker is up and that this user may write to it"
            ) from None
        if not partitions:
            raise TopicError(
                f"expected topic {self._topic} to exist, got no such topic; create it with "
                "`stream-rec topics create`, or name another with --topic"
            )

    def _settle_oldest(self) -> None:
        position, future = self._in_flight.popleft()
        try:
            future.get()  # ends by itself: the producer fails a record after delivery_timeout_ms
        except KafkaError as error:
            self._count_failure(position, error)
        else:
            self.n_acknowledged += 1

    def _count_failure(self, position: int, error: KafkaError) -> None:
        self.n_failed += 1
        self.last_error = str(error)
        if self.first_failed_position is None or position < self.first_failed_position:
            self.first_failed_position = position


@contextmanager
def open_producer(kafka: KafkaSettings) -> Iterator[KafkaProducer]:
    """Connect a producer that waits for all in-sync replicas and keeps the order of each key.

    Raises
    ------
    DeliveryError
        When no broker answers.
    """
    # What fails is reported once, by Delivery; kafka-python would log it again for every batch.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        producer = KafkaProducer(
            **kafka_python_producer_config(kafka),
            linger_ms=kafka.linger_ms,
            batch_size=BATCH_BYTES,
            compression_type=None if kafka.compression == "none" else kafka.compression,
            bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
            max_block_ms=TOPIC_TIMEOUT_MS,
        )
    except KafkaError as error:
        raise DeliveryError(
            f"expected a Kafka broker at {kafka.broker}, got {error}; "
            "start it, or name another with --broker HOST:PORT; the worker's own "
            "embedded broker needs --set kafka.embedded=true too"
        ) from None
    except RuntimeError as error:
        raise ConfigError(
            f"expected the library for kafka.compression = {kafka.compression}, got: {error}; "
            "install it or choose another compression"
        ) from None
    try:
        yield producer
    finally:
        with suppress(KafkaError):  # only when given up before the last record was settled
            producer.close(timeout=CLOSE_TIMEOUT_S)
