"""The one agent: hands each record batch to the processor.

An error in it stops the worker. Faust would log it, restart the agent and go on after the batch,
which would then be lost.
"""

from __future__ import annotations

from typing import Any

import faust
from faust.serializers.schemas import Schema
from faust.types import TP, AgentT, StreamT

from stream_rec.stream.transport import RecordBatch


class BatchSchema(Schema):
    """Lets a message's value through as it is: it is no bytes but a `RecordBatch`."""

    def loads_key(self, app: Any, message: Any, **options: Any) -> Any:
        """Return the key as it is."""
        return message.key

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:
        """Return the value as it is."""
        return message.value


def define_agent(app: faust.App) -> AgentT:
    """Define the agent of the events topic.

    The topic takes no acknowledgements (``acks=False``): what may be committed is decided by the
    durable watermark, not by which messages an agent has seen.
    """
    events = app.settings.topics.events

    async def recommend(batches: StreamT[RecordBatch]) -> None:
        """Fold events into the model and publish refreshed lists."""
        async for batch in batches:
            try:
                await _handle(app, events, batch)
            except Exception as error:
                app.fail(error)
                return

    return app.agent(app.topic(events, schema=BatchSchema(), acks=False), name="recommend")(
        recommend
    )


async def _handle(app: faust.App, events: str, batch: RecordBatch) -> None:
    partition = batch.records[0].partition
    expected = await app.processor.process(partition, batch)
    if expected is not None:
        app.logger.warning(
            "%s-%d: expected offset %d, came %d; fetching again",
            *(events, partition, expected, batch.start),
        )
        await app.consumer.rewind({TP(events, partition): expected})
