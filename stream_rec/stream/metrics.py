"""``/metrics``: the figures of a worker in Prometheus' text format.

They are those of ``/stats``, read when they are asked for, and histograms of durations.
docs/metrics.md lists them. Labels are partitions and codes: nothing of a user or an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from stream_rec.stream.stats import Histogram, Stats

PREFIX = "stream_rec_worker_"
COUNTERS = {
    "events": "Events processed, refused ones included.",
    "lists": "Lists published.",
    "duplicates": "Events left out because their id had come before.",
    "ignored": "Events of a type that counts for nothing.",
    "floods": "Events of floods: they taught the model nothing.",
    "repeated": "Events that Kafka delivered again and that were left out.",
    "rewinds": "Times that events were fetched again because a batch was lost on its way.",
    "queue_full": "Times that the producer's queue was full, which slows the reading down.",
    "profile_reads": "Profiles looked up in their store: of users who were not in memory.",
    "missing_offsets": "Offsets of the events topic that do not exist.",
}
PARTITION_GAUGES = {
    "watermark": ("watermark_offset", "Offset of the last durable event."),
    "lag": ("lag_records", "Events that are there and not yet processed."),
    "dirty_rows": ("dirty_rows", "Rows changed since the last commit."),
    "hit_rate": ("hit_rate", "Share of events whose item was listed, since it last changed."),
    "drifts": ("drifts", "Changes of the hit rate since the partition's first event (ADWIN)."),
}
STORE_GAUGES = {
    "rows": ("store_rows", "Rows in the stores of the owned partitions, estimated."),
    "bytes": ("store_bytes", "Files of these stores."),
}


def render(stats: Stats, figures: Mapping[str, Any]) -> bytes:
    """Return everything in Prometheus' text format.

    Parameters
    ----------
    stats : Stats
        For the histograms.
    figures : Mapping
        As ``/stats`` shows them.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_WorkerCollector(stats, figures))
    return generate_latest(registry)


class _WorkerCollector(Collector):
    def __init__(self, stats: Stats, figures: Mapping[str, Any]) -> None:
        self._stats = stats
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._counters()
        yield from self._commits()
        yield from self._partitions()
        yield from self._stores()
        yield from self._states()
        stats = self._stats
        yield _histogram(
            "event_latency_seconds",
            "From Kafka's timestamp of an event to its list being handed to the producer, the "
            "oldest of each message.",
            stats.latency_s,
        )
        yield _histogram(
            "batch_duration_seconds", "Processing of the events of one message.", stats.batch_s
        )
        yield _histogram("commit_duration_seconds", "Commit cycles.", stats.commit_s)

    def _counters(self) -> Iterator[Metric]:
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(PREFIX + name, text, value=self._figures[name])
        refused = CounterMetricFamily(
            PREFIX + "refused",
            "Records that went to the dead-letter topic, by code.",
            labels=["code"],
        )
        for code, n_refused in sorted(self._figures["refused"].items()):
            refused.add_metric([code], n_refused)
        yield refused

    def _commits(self) -> Iterator[Metric]:
        commits = self._figures["commits"]
        yield CounterMetricFamily(PREFIX + "committed_rows", "Rows made durable.", commits["rows"])
        yield _gauge(
            "last_commit_timestamp_seconds",
            "When the last commit cycle ended.",
            commits["last_at_s"],
        )

    def _partitions(self) -> Iterator[Metric]:
        for key, (name, text) in PARTITION_GAUGES.items():
            gauge = GaugeMetricFamily(PREFIX + name, text, labels=["partition"])
            for one in self._figures["partitions"]:
                if one[key] is not None:
                    gauge.add_metric([str(one["partition"])], one[key])
            yield gauge

    def _stores(self) -> Iterator[Metric]:
        for key, (name, text) in STORE_GAUGES.items():
            gauge = GaugeMetricFamily(PREFIX + name, text, labels=["table"])
            for table, size in self._figures["stores"].items():
                gauge.add_metric([table], size[key])
            yield gauge

    def _states(self) -> Iterator[Metric]:
        figures, view = self._figures, self._figures["item_view"]
        recovery = figures["recovery"]
        yield _gauge("start_time_seconds", "When this worker started.", self._stats.started_at_s)
        yield _gauge("owned_partitions", "Partitions owned.", len(figures["partitions"]))
        yield _gauge("group_generation", "Of the consumer group.", figures["generation"])
        yield _gauge(
            "clock_skew_seconds", "This machine's clock minus Kafka's.", figures["clock_skew_s"]
        )
        yield _gauge(
            "item_view_staleness_seconds",
            "Age of what the item view lacks at most of other workers' events.",
            view.get("staleness_s"),
        )
        yield _gauge("followed_partitions", "Partitions of others followed.", view.get("followed"))
        yield CounterMetricFamily(
            PREFIX + "restored_records",
            "Changelog records read to recover partitions.",
            recovery.get("records_read", 0),
        )
        yield _gauge(
            "restore_remaining_records",
            "Changelog offsets still to be read of the partition that is being recovered.",
            recovery.get("offsets_to_go", 0),
        )


def _gauge(name: str, text: str, value: float | None) -> Metric:
    """Return a gauge; without a sample where nothing is known yet."""
    gauge = GaugeMetricFamily(PREFIX + name, text)
    if value is not None:
        gauge.add_metric([], value)
    return gauge


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    return HistogramMetricFamily(
        PREFIX + name,
        text,
        buckets=list(zip(bounds, histogram.cumulative(), strict=True)),
        sum_value=histogram.total,
    )
