"""What a worker is busy with and what waits for it, as the watchdog asks."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable
from typing import TYPE_CHECKING

import confluent_kafka

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp


class PendingWork:
    """`stream_rec.stream.watchdog.Work` of a worker.

    Parameters
    ----------
    app : StreamApp
        The worker.
    """

    def __init__(self, app: StreamApp) -> None:
        self._app = app

    def progress(self) -> Hashable:
        """Return what changes when events or rows are processed, or partitions change hands."""
        app = self._app
        if app.assignment is None:
            return None
        next_offsets = tuple(sorted(app.processor.next_offsets.items()))
        return app.consumer_generation_id, next_offsets, app.log_reader.progress.n_records_ever

    async def pending(self) -> str | None:
        """Say what there is to do; None where there is nothing, or Kafka does not answer."""
        app = self._app
        if app.assignment is None:
            return None
        if app.rebalancing:
            return "a rebalance that does not end"
        try:
            for partition, next_offset in sorted(app.processor.next_offsets.items()):
                if await self._has_records(partition, next_offset):
                    return f"events from offset {next_offset} on in partition {partition}"
        except confluent_kafka.KafkaException:
            return None  # then its delivery errors decide
        return None

    async def _has_records(self, partition: int, start: int) -> bool:
        """Say whether there is a record to process, and not only offsets without one."""
        topic, reader = self._app.settings.topics.events, self._app.log_reader
        _, end = await reader.offsets(topic, partition)
        async with contextlib.aclosing(reader.read(topic, partition, start, end)) as stretches:
            async for _ in stretches:
                return True
        return False
