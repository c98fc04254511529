"""``/metrics``: what a worker has counted, as Prometheus reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from stream_rec.stream.metrics import render
from stream_rec.stream.stats import DURATION_BOUNDS_S, Histogram, Stats

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
STARTED_AT_S = 1_000.0
EVENT_AT_MS = 999_500


@pytest.fixture
def stats() -> Stats:
    counted = Stats(lambda: STARTED_AT_S)
    counted.count_batch(40, EVENT_AT_MS, STARTED_AT_S - 0.004)
    counted.count_commit(7, STARTED_AT_S - 0.3)
    counted.refused.update({"not_json": 3, "no_user": 1})
    return counted


def figures_of(stats: Stats, **states: Any) -> dict[str, Any]:
    return stats.snapshot() | {
        "generation": 4,
        "queue_full": 0,
        "missing_offsets": 0,
        "profile_reads": 9,
        "clock_skew_s": None,
        "item_view": {},
        "recovery": {},
        "stores": {"items": {"rows": 12, "bytes": 3_400}},
        "partitions": [
            {"partition": 0, "watermark": 99, "dirty_rows": 5, "lag": 12}
            | {"hit_rate": 0.25, "drifts": 2},
            {"partition": 6, "watermark": -1, "dirty_rows": 0, "lag": None}
            | {"hit_rate": 0.0, "drifts": 0},
        ],
        **states,
    }


def samples(page: bytes) -> dict[tuple[str, str], float]:
    """Return the value of each sample by its name and labels."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_figures_are_those_of_stats(stats: Stats) -> None:
    found = samples(render(stats, figures_of(stats)))
    assert found["stream_rec_worker_events_total", ""] == 40
    assert found["stream_rec_worker_refused_total", "not_json"] == 3
    assert found["stream_rec_worker_committed_rows_total", ""] == 7
    assert found["stream_rec_worker_store_bytes", "items"] == 3_400
    assert found["stream_rec_worker_lag_records", "0"] == 12
    assert found["stream_rec_worker_watermark_offset", "6"] == -1
    assert found["stream_rec_worker_hit_rate", "0"] == 0.25
    assert found["stream_rec_worker_owned_partitions", ""] == 2


def test_what_is_not_known_has_no_sample(stats: Stats) -> None:
    found = samples(render(stats, figures_of(stats)))
    assert ("stream_rec_worker_lag_records", "6") not in found
    assert ("stream_rec_worker_clock_skew_seconds", "") not in found
    known = figures_of(stats, clock_skew_s=-0.5, item_view={"staleness_s": 2.5, "followed": 3})
    found = samples(render(stats, known))
    assert found["stream_rec_worker_clock_skew_seconds", ""] == -0.5
    assert found["stream_rec_worker_item_view_staleness_seconds", ""] == 2.5


def test_durations_are_in_seconds(stats: Stats) -> None:
    found = samples(render(stats, figures_of(stats)))
    assert found["stream_rec_worker_event_latency_seconds_sum", ""] == pytest.approx(0.5)
    assert found["stream_rec_worker_commit_duration_seconds_bucket", "0.2"] == 0
    assert found["stream_rec_worker_commit_duration_seconds_bucket", "0.5"] == 1


@given(st.lists(st.floats(0.0, 100.0)))
def test_buckets_hold_what_is_at_most_their_bound(durations: list[float]) -> None:
    histogram = Histogram()
    for duration_s in durations:
        histogram.observe(duration_s)
    *within, n_all = histogram.cumulative()
    assert within == [sum(d <= bound for d in durations) for bound in DURATION_BOUNDS_S]
    assert n_all == len(durations)
    assert histogram.total == pytest.approx(sum(durations))


def test_the_page_lists_every_metric_of_a_worker(stats: Stats) -> None:
    page = render(stats, figures_of(stats)).decode()
    kinds = dict(re.findall(r"^# TYPE (stream_rec_\w+) (\w+)$", page, re.MULTILINE))
    documented = re.findall(
        r"^\| `(stream_rec_worker_\w+)[^|]*\| (\w+) \|", PAGE.read_text(), re.MULTILINE
    )
    assert dict(documented) == kinds
