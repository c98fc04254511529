"""``/stats``: what this worker has done and where it stands; ``/metrics``: for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.types import TP
from faust.web import Request, Response, View
from prometheus_client import CONTENT_TYPE_LATEST

from stream_rec.stream.metrics import render
from stream_rec.stream.stats import partition_figures

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp


def define_pages(app: StreamApp) -> None:
    """Define the pages that Faust's web server shows beside its own."""

    @app.page("/stats")
    async def stats(self: View, request: Request) -> Response:
        """Show the counters, and watermark, lag and dirty rows of each partition."""
        return self.json(collect_stats(app))

    @app.page("/metrics")
    async def metrics(self: View, request: Request) -> Response:
        """Show the same in Prometheus' text format, with histograms."""
        page = render(app.stats, collect_stats(app))
        return self.bytes(page, headers={"Content-Type": CONTENT_TYPE_LATEST})


def collect_stats(app: StreamApp) -> dict[str, Any]:
    """Return the figures of a worker."""
    publisher = app.publisher
    return app.stats.snapshot() | {
        "app_id": app.settings.app_id,
        "generation": app.consumer_generation_id,
        "queue_full": 0 if publisher is None else publisher.n_queue_full,
        "profile_reads": app.profiles.n_reads,
        "missing_offsets": app.batch_consumer.n_missing_offsets,
        "clock_skew_s": None if app.assignment is None else app.clock.skew_s,
        "item_view": {} if app.follower is None else app.follower.freshness.snapshot(),
        "recovery": {} if app.assignment is None else app.log_reader.progress.snapshot(),
        "stores": {} if app.assignment is None else app.stores.sizes(),
        "partitions": _partitions(app),
    }


def _partitions(app: StreamApp) -> list[dict[str, float | None]]:
    if app.assignment is None:
        return []
    events = app.settings.topics.events
    next_offsets = app.processor.next_offsets
    watermarks = app.assignment.watermarks()
    lags = {
        partition: _lag(app.consumer.highwater(TP(events, partition)), next_offset)
        for partition, next_offset in next_offsets.items()
    }
    n_dirty = {partition: app.processor.n_dirty(partition) for partition in next_offsets}
    hit_rates = {partition: app.processor.hit_rate(partition) for partition in next_offsets}
    return partition_figures(watermarks, n_dirty, lags, hit_rates)


def _lag(highwater: int | None, next_offset: int) -> int | None:
    return None if highwater is None else max(0, highwater - next_offset)
