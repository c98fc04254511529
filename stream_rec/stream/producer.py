"""What Faust sees as its producer: the worker's one librdkafka producer.

Faust commits offsets only after ``app.producer.flush()``; here that waits for the acknowledgement
of everything published so far, by whatever path. Faust's own sends (``topic.send`` of an agent
added by a user, leader election) go through the same librdkafka producer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

import confluent_kafka
from faust.exceptions import NotReady
from faust.transport import base
from faust.types import TP, RecordMetadata
from mode import get_logger

from stream_rec.stream.publisher import Publisher

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp

logger = get_logger(__name__)


class LibrdkafkaProducer(base.Producer):
    """Faust's producer interface over the application's `Publisher`."""

    logger = logger
    mundane_level = "debug"
    app: StreamApp

    @property
    def publisher(self) -> Publisher:
        """The application's publisher."""
        if self.app.publisher is None:
            raise NotReady("the publisher is built when the application starts")
        return self.app.publisher

    async def on_start(self) -> None:
        """Start to serve delivery reports."""
        await super().on_start()
        self.publisher.start()

    async def on_stop(self) -> None:
        """Stop to serve them; the application has flushed before."""
        await super().on_stop()
        if self.app.publisher is not None:
            await self.publisher.stop()

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Hand a record over; the result can be awaited for its acknowledgement."""
        acknowledged = asyncio.get_running_loop().create_future()
        if isinstance(headers, Mapping):
            headers = list(headers.items())
        await self.publisher.send(
            topic,
            key,
            value,
            headers or None,
            -1 if partition is None else partition,
            lambda message: acknowledged.set_result(_to_metadata(message)),
        )
        return acknowledged

    async def send_and_wait(self, *args: Any, **kwargs: Any) -> RecordMetadata:
        """Hand a record over and wait for its acknowledgement."""
        return await (await self.send(*args, **kwargs))

    async def flush(self) -> None:
        """Wait for the acknowledgement of everything published so far."""
        await self.buffer.flush()
        await self.publisher.wait_for_acks()

    async def create_topic(self, topic: str, *args: Any, **kwargs: Any) -> None:
        """Do nothing: topics are made by ``stream-rec topics``, with the settings they need."""

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Refuse: librdkafka decides by key while it sends."""
        raise TypeError("the partition of a key is decided by librdkafka as it sends")

    def supports_headers(self) -> bool:
        """Say that records may have headers."""
        return True


def _to_metadata(message: confluent_kafka.Message) -> RecordMetadata:
    tp = TP(str(message.topic()), int(message.partition() or 0))
    return RecordMetadata(tp.topic, tp.partition, tp, int(message.offset() or 0))
