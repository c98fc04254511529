"""What a worker counts, and the figures that ``/stats`` shows of it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from stream_rec.model.runs import HitRate

LATENCY_SAMPLES = 2_000
RATE_SAMPLES = 60
RATE_WINDOW_S = 10.0
DURATION_BOUNDS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 30.0, 60.0),
)


class Histogram:
    """Counts durations by size, since the start.

    Attributes
    ----------
    bounds : sequence of float
        Largest duration of each bucket but the last, in seconds.
    total : float
        Sum of all durations, in seconds.
    """

    def __init__(self, bounds: Sequence[float] = DURATION_BOUNDS_S) -> None:
        self.bounds = bounds
        self.total = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def observe(self, duration_s: float) -> None:
        """Count a duration."""
        self._counts[bisect_left(self.bounds, duration_s)] += 1
        self.total += duration_s

    def cumulative(self) -> list[int]:
        """Return how many durations are at most each bound, and how many there are."""
        return list(accumulate(self._counts))


@dataclass
class CommitStats:
    """The commit cycles so far."""

    n_commits: int = 0
    n_rows: int = 0
    last_at_s: float | None = None
    last_duration_ms: float | None = None


@dataclass
class Stats:
    """Counters of one worker since it started.

    Parameters
    ----------
    clock_s : Callable[[], float]
        Wall clock, in seconds.
    """

    clock_s: Callable[[], float]
    n_events: int = 0
    n_lists: int = 0
    n_duplicates: int = 0
    n_ignored: int = 0
    n_floods: int = 0
    n_repeated: int = 0
    n_rewinds: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    commits: CommitStats = field(default_factory=CommitStats)
    latency_s: Histogram = field(default_factory=Histogram)
    batch_s: Histogram = field(default_factory=Histogram)
    commit_s: Histogram = field(default_factory=Histogram)
    started_at_s: float = field(init=False)
    _latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCY_SAMPLES))
    _batch_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCY_SAMPLES))
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RATE_SAMPLES))

    def __post_init__(self) -> None:
        self.started_at_s = self.clock_s()

    def count_batch(self, n_events: int, oldest_at_ms: int, started_at_s: float) -> None:
        """Count the events of a message, which are processed and published.

        Parameters
        ----------
        n_events : int
            Of all partitions in it.
        oldest_at_ms : int
            Kafka timestamp of the oldest first event of a partition.
        started_at_s : float
            When its processing began.
        """
        now_s = self.clock_s()
        self.n_events += n_events
        latency_s, batch_s = max(0.0, now_s - oldest_at_ms / 1000), now_s - started_at_s
        self.latency_s.observe(latency_s)
        self.batch_s.observe(batch_s)
        self._latencies_ms.append(latency_s * 1000)
        self._batch_ms.append(batch_s * 1000)
        if not self._marks or now_s - self._marks[-1][0] >= RATE_WINDOW_S / RATE_SAMPLES:
            self._marks.append((now_s, self.n_events))

    def count_commit(self, n_rows: int, started_at_s: float) -> None:
        """Count a commit cycle that has ended."""
        now_s = self.clock_s()
        self.commits.n_commits += 1
        self.commits.n_rows += n_rows
        self.commits.last_at_s = now_s
        self.commit_s.observe(now_s - started_at_s)
        self.commits.last_duration_ms = round((now_s - started_at_s) * 1000, 3)

    def snapshot(self) -> dict[str, Any]:
        """Return all figures, ready for JSON."""
        return {
            "uptime_s": round(self.clock_s() - self.started_at_s, 1),
            "events": self.n_events,
            "events_per_s": round(self._events_per_s(), 1),
            "lists": self.n_lists,
            "refused": dict(self.refused),
            "duplicates": self.n_duplicates,
            "ignored": self.n_ignored,
            "floods": self.n_floods,
            "repeated": self.n_repeated,
            "rewinds": self.n_rewinds,
            "latency_ms": quantiles(self._latencies_ms),
            "batch_ms": quantiles(self._batch_ms),
            "commits": {
                "count": self.commits.n_commits,
                "rows": self.commits.n_rows,
                "last_at_s": self.commits.last_at_s,
                "last_duration_ms": self.commits.last_duration_ms,
            },
        }

    def _events_per_s(self) -> float:
        """Return the rate over the last seconds; 0 when nothing came in them."""
        now_s = self.clock_s()
        recent = [mark for mark in self._marks if mark[0] >= now_s - RATE_WINDOW_S]
        if not recent:
            return 0.0
        at_s, n_events = recent[0]
        return (self.n_events - n_events) / max(now_s - at_s, 0.1)


def partition_figures(
    watermarks: Mapping[int, int],
    n_dirty: Mapping[int, int],
    lags: Mapping[int, int | None],
    hit_rates: Mapping[int, HitRate],
) -> list[dict[str, float | None]]:
    """Return one line of figures for each owned partition; None for what is not known of it yet."""
    return [
        {
            "partition": partition,
            "watermark": watermark,
            "dirty_rows": n_dirty.get(partition),
            "lag": lags.get(partition),
            "hit_rate": hit_rates[partition].mean if partition in hit_rates else None,
            "drifts": hit_rates[partition].n_changes if partition in hit_rates else None,
        }
        for partition, watermark in sorted(watermarks.items())
    ]


def quantiles(samples: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum; nothing where there are no samples."""
    ordered = sorted(samples)
    if not ordered:
        return {}
    last = len(ordered) - 1
    return {
        "p50": round(ordered[last // 2], 3),
        "p99": round(ordered[last * 99 // 100], 3),
        "max": round(ordered[last], 3),
    }
