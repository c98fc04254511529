"""The one agent: hands record batches to the processor.

An error in it stops the worker. Faust would log it, restart the agent and go on after these
batches, which would then be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.serializers.schemas import Schema
from faust.types import AgentT, StreamT

from stream_rec.stream.batches import RecordBatch

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp


class BatchSchema(Schema[Any, Any]):
    """Lets a message's value through as it is: it is no bytes but record batches."""

    def loads_key(self, app: Any, message: Any, **options: Any) -> Any:
        """Return the key as it is."""
        return message.key

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:
        """Return the value as it is."""
        return message.value


def define_agent(app: StreamApp) -> AgentT[Any]:
    """Define the agent of the events topic.

    The topic takes no acknowledgements (``acks=False``): what may be committed is decided by the
    durable watermark, not by which messages an agent has seen.
    """
    events = app.settings.topics.events

    async def recommend(messages: StreamT[list[RecordBatch]]) -> None:
        """Fold events into the model and publish refreshed lists."""
        async for batches in messages:
            try:
                await _handle(app, events, batches)
                app.batch_consumer.on_handled()
            except Exception as error:
                app.fail(error)
                return

    topic = app.topic(events, schema=BatchSchema(), acks=False)
    return app.agent(topic, name="recommend")(recommend)


async def _handle(app: StreamApp, events: str, batches: list[RecordBatch]) -> None:
    lost = await app.processor.process(batches)
    for partition, expected in lost.items():
        app.logger.warning(
            "%s-%d: a batch that begins at offset %d is lost; fetching again",
            *(events, partition, expected),
        )
    if lost:
        app.batch_consumer.rewind(lost)
