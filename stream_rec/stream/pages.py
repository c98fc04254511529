"""``/stats``: what this worker has done and where it stands, as JSON."""

from __future__ import annotations

from typing import Any

import faust
from faust.types import TP
from faust.web import Request, Response, View

from stream_rec.stream.stats import partition_figures


def define_pages(app: faust.App) -> None:
    """Define the pages that Faust's web server shows beside its own."""

    @app.page("/stats")
    async def stats(self: View, request: Request) -> Response:
        """Show the counters, and watermark, lag and dirty rows of each partition."""
        return self.json(collect_stats(app))


def collect_stats(app: faust.App) -> dict[str, Any]:
    """Return the figures of a worker."""
    return app.stats.snapshot() | {
        "app_id": app.settings.app_id,
        "generation": app.consumer_generation_id,
        "queue_full": app.publisher.n_queue_full,
        "missing_offsets": app.consumer.n_missing_offsets,
        "partitions": _partitions(app),
    }


def _partitions(app: faust.App) -> list[dict[str, int | None]]:
    events = app.settings.topics.events
    next_offsets = app.processor.next_offsets
    watermarks = app.assignment.watermarks()
    lags = {
        partition: _lag(app.consumer.highwater(TP(events, partition)), next_offset)
        for partition, next_offset in next_offsets.items()
    }
    n_dirty = {partition: app.processor.n_dirty(partition) for partition in next_offsets}
    return partition_figures(watermarks, n_dirty, lags)


def _lag(highwater: int | None, next_offset: int) -> int | None:
    return None if highwater is None else max(0, highwater - next_offset)
