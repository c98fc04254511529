"""What the service counts of itself, for Prometheus and the live page."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

if TYPE_CHECKING:
    from stream_rec.serving.service import Service

DURATION_BUCKETS_S = (*(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),)


class Figures:
    """Counters, histograms and gauges in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "stream_rec_http_requests_total",
            "Requests answered.",
            ("method", "path", "status"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "stream_rec_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("path",),
            buckets=DURATION_BUCKETS_S,
            registry=self._registry,
        )
        self._request_counter = cache(self._requests.labels)
        self._duration_histogram = cache(self._durations.labels)
        self.events_written = Counter(
            "stream_rec_http_events_written_total",
            "Events acknowledged by Kafka.",
            registry=self._registry,
        )
        self.lists_followed = self._gauge("lists_followed", "Lists read since the start.")
        self.lag = self._gauge("lag_records", "Records of lists and rows still to be read.")
        self.silence = self._gauge("kafka_silence_seconds", "Seconds since Kafka last answered.")
        self.streams = self._gauge("streams", "Open streams of refreshed lists.")
        self.ready = self._gauge("ready", "1 if caught up.")
        self.items = self._gauge("items", "Items in the view.")
        self.listed_items = self._gauge("listed_items", "Items in any of the last 5,000 lists.")
        self.scored = self._gauge("scored_events", "Events that the hit rates are of.")
        self.drifts = self._gauge("drifts", "Changes of the hit rate (ADWIN) since the start.")
        self._hit_rate = Gauge(
            "stream_rec_http_hit_rate",
            "Share of the last scored events whose item was among the first 10 listed.",
            ("model",),
            registry=self._registry,
        )

    def count_request(self, method: str, path: str, status: int, elapsed_s: float) -> None:
        """Count a request that has been answered."""
        self._request_counter(method, path, str(status)).inc()
        self._duration_histogram(path).observe(elapsed_s)

    def render(self, service: Service) -> bytes:
        """Return everything in Prometheus' text format."""
        self.lists_followed.set(service.lists.n_lists)
        self.lag.set(service.lag)
        self.silence.set(service.silence_s)
        self.streams.set(service.n_streams)
        self.ready.set(service.is_ready)
        self.items.set(service.catalogue.n_items)
        observer = service.observer
        self.listed_items.set(observer.n_listed_items)
        self.scored.set(observer.n_scored)
        self.drifts.set(observer.n_drifts)
        for model, rate in (("lists", observer.hit_rate), ("popular", observer.popular_hit_rate)):
            self._hit_rate.labels(model).set(math.nan if rate is None else rate)
        return generate_latest(self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"stream_rec_http_{name}", text, registry=self._registry)
