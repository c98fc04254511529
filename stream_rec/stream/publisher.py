"""The one producer: recommendations, dead letters and changelogs leave through here.

One idempotent librdkafka producer (about 2 µs a record) keeps the order of what it is given.
Its delivery reports are served on the event loop, in `poll`, never in a thread of their own: each
report takes Python's global lock, and a thread would wait for it up to 5 ms a time while the
engine is busy.

Back-pressure: when librdkafka's queue is full, `send` waits on the event loop until there is room;
nothing is dropped. `wait_for_acks` waits for everything handed over before it was called, and for
nothing handed over later, so it ends under a steady load too. A record that Kafka did not
acknowledge within ``kafka.delivery_timeout_ms`` breaks the publisher for good: every later call
raises `DeliveryError`, and ``on_failure`` stops the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import confluent_kafka

from stream_rec.errors import DeliveryError
from stream_rec.stream.changelog import Headers

POLL_INTERVAL_S = 0.005
ACK_POLL_INTERVAL_S = 0.001
SEND_POLL_EVERY = 256

DeliveryReport = Callable[[confluent_kafka.Message], None]


class Publisher:
    """Hands records to librdkafka and knows which of them Kafka has acknowledged.

    Parameters
    ----------
    configuration : Mapping[str, Any]
        librdkafka's, from `stream_rec.kafka_clients.confluent_config`.
    on_failure : Callable[[DeliveryError], None]
        Called once, with the first record that could not be delivered.
    """

    def __init__(
        self, configuration: Mapping[str, Any], on_failure: Callable[[DeliveryError], None]
    ) -> None:
        self._producer = confluent_kafka.Producer(
            {**configuration, "error_cb": self._on_client_error}
        )
        self._on_failure = on_failure
        self._groups: deque[AckGroup] = deque([AckGroup(self)])
        self._poller: asyncio.Task[None] | None = None
        self.failure: DeliveryError | None = None
        self.n_sent = 0
        self.n_queue_full = 0

    def start(self) -> None:
        """Serve delivery reports while nobody waits for them; needs a running event loop."""
        if self._poller is None:
            self._poller = asyncio.get_running_loop().create_task(self._poll_forever())

    async def stop(self) -> None:
        """Stop serving delivery reports; what was not acknowledged by now is given up."""
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await poller
        self._producer.purge()

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        partition: int = -1,
        on_delivery: DeliveryReport | None = None,
    ) -> None:
        """Hand a record over, waiting while the queue is full.

        Parameters
        ----------
        topic, key, value, headers, partition
            The record; partition -1 lets Kafka's partitioner decide by key.
        on_delivery : DeliveryReport, optional
            Called with the acknowledged message (it knows its offset).

        Raises
        ------
        DeliveryError
            This or an earlier record cannot be delivered any more.
        """
        self.raise_failure()
        report = self._groups[-1].expect(on_delivery)
        while True:
            try:
                self._producer.produce(topic, value, key, partition, report, headers=headers)
                break
            except BufferError:
                self.n_queue_full += 1
                await self._wait_for_room()
        self.n_sent += 1
        if self.n_sent % SEND_POLL_EVERY == 0:
            self._producer.poll(0)

    async def wait_for_acks(self) -> None:
        """Wait until everything handed over before this call is acknowledged.

        Raises
        ------
        DeliveryError
            One of these records, or an earlier one, cannot be delivered.
        """
        last = self._groups[-1]
        self._groups.append(AckGroup(self))
        while self._has_unacknowledged(last):
            self.raise_failure()
            await asyncio.sleep(ACK_POLL_INTERVAL_S)
            self._producer.poll(0)
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise the error that broke this publisher, if any.

        Raises
        ------
        DeliveryError
            A record could not be delivered.
        """
        if self.failure is not None:
            raise self.failure

    def fail(self, reason: str) -> None:
        """Break for good: what comes after a lost record must not become durable."""
        if self.failure is None:
            self.failure = DeliveryError(
                f"expected Kafka to acknowledge every record, came: {reason}; this worker stops "
                "and its partitions go on from what is durable; look at the brokers"
            )
            self._on_failure(self.failure)

    def _has_unacknowledged(self, last: AckGroup) -> bool:
        """Drop the groups that are complete, up to ``last``; say whether any of them is not."""
        while self._groups[0].is_complete and len(self._groups) > 1:
            if self._groups.popleft() is last:
                return False
        return last in self._groups

    async def _wait_for_room(self) -> None:
        self.raise_failure()
        self._producer.poll(0)
        await asyncio.sleep(ACK_POLL_INTERVAL_S)
        self.raise_failure()

    async def _poll_forever(self) -> None:
        while True:
            self._producer.poll(0)
            await asyncio.sleep(POLL_INTERVAL_S)

    def _on_client_error(self, error: confluent_kafka.KafkaError) -> None:
        if error.fatal():
            self.fail(error.str())


class AckGroup:
    """The records handed over between two calls of `Publisher.wait_for_acks`."""

    __slots__ = ("_n_acknowledged", "_n_expected", "_publisher")

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._n_expected = 0
        self._n_acknowledged = 0

    @property
    def is_complete(self) -> bool:
        """Whether each record of this group is acknowledged."""
        return self._n_acknowledged == self._n_expected

    def expect(self, on_delivery: DeliveryReport | None) -> Callable[[Any, Any], None]:
        """Count one more record, and return the callback for its delivery report."""
        self._n_expected += 1
        if on_delivery is None:
            return self._acknowledge
        return lambda error, message: self._acknowledge(error, message, on_delivery)

    def _acknowledge(
        self,
        error: confluent_kafka.KafkaError | None,
        message: confluent_kafka.Message,
        on_delivery: DeliveryReport | None = None,
    ) -> None:
        if error is not None:
            self._publisher.fail(f"{error.str()}, for a record of {message.topic()}")
            return
        self._n_acknowledged += 1
        if on_delivery is not None:
            on_delivery(message)
