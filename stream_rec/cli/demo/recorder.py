"""Turn what arrives into snapshots: statistics, their history, users in the spotlight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from stream_rec.cli.demo.messages import Event, RefreshedList
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.spotlight import Spotlight
from stream_rec.cli.demo.statistics import DemoStatistics, Moment

SPOTLIGHT_USERS = 5
SPOTLIGHT_S = 4.0
HISTORY_POINTS = 120


class Recorder:
    """Keep the demo's numbers and describe them when asked.

    Parameters
    ----------
    n_expected : int
        Events that will be replayed.
    n_partitions : int
        Of the events topic.
    clock_s : callable
        A clock that never goes back, in seconds.
    """

    def __init__(self, n_expected: int, n_partitions: int, clock_s: Callable[[], float]) -> None:
        self.statistics = DemoStatistics()
        self.worker_pid: int | None = None
        self.web_url: str | None = None
        self.phase = Phase.BROKER
        self._n_expected = n_expected
        self._n_partitions = n_partitions
        self._clock_s = clock_s
        self._started_s = clock_s()
        self._rates: deque[float] = deque(maxlen=HISTORY_POINTS)
        self._spotlight = Spotlight(SPOTLIGHT_USERS)
        self._shown: tuple[Moment, ...] = ()
        self._shown_since_s = -SPOTLIGHT_S

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock_s() - self._started_s

    def add(self, arrivals: Iterable[Event | RefreshedList]) -> None:
        """Account for events and lists, in the order of their arrival."""
        for arrival in arrivals:
            if isinstance(arrival, Event):
                moments = self.statistics.add_event(arrival)
            else:
                moments = self.statistics.add_list(arrival)
            for moment in moments:
                self._spotlight.offer(moment)

    def finish(self) -> None:
        """Show the best of the users shown last and of those since, however short the run was."""
        for moment in (*self._shown, *self._spotlight.take()):
            self._spotlight.offer(moment)
        self._shown = tuple(self._spotlight.take())

    def snapshot(self) -> Snapshot:
        """Describe the present moment."""
        statistics, now_s = self.statistics, self._clock_s()
        if now_s - self._shown_since_s >= SPOTLIGHT_S and statistics.n_answered:
            self._shown = tuple(self._spotlight.take()) or self._shown
            self._shown_since_s = now_s
        rate = statistics.lists_per_s(now_s)
        if statistics.n_answered:
            self._rates.append(rate)
        return Snapshot(
            phase=self.phase,
            elapsed_s=self.elapsed_s,
            n_expected=self._n_expected,
            n_events=statistics.n_events,
            n_lists=statistics.n_lists,
            lists_per_s=rate,
            latency_p50_ms=statistics.latency_ms(0.50),
            latency_p99_ms=statistics.latency_ms(0.99),
            n_scored=statistics.hits.n_scored,
            hit_rate=statistics.hits.hit_rate,
            popularity_hit_rate=statistics.hits.popularity_hit_rate,
            rate_history=tuple(self._rates),
            n_partitions=self._n_partitions,
            worker_pid=self.worker_pid,
            web_url=self.web_url,
            moments=self._shown,
        )
