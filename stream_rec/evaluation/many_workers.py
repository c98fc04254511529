"""Prequential evaluation of several workers that see each other's rows once per commit interval.

Each worker owns some of the partitions and ranks with the sum of its own rows, as they are, and of
the others' rows as they were committed last. A commit happens before the first event that is an
interval of event time, or a number of events, after the commit before; all workers take it in at
once. In between, a worker knows nothing of what the others learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import Prequential, batch_bounds
from stream_rec.model.engine import Engine


class ManyWorkers(Prequential):
    """One evaluation of several engines over a log.

    Parameters
    ----------
    engines : sequence of Engine
        One for each worker, made for `n_partitions`, without open partitions.
    log : LogColumns
    n_partitions, list_every : int
        As for `Prequential`.
    commit_interval_s : float
        In event time.
    commit_events_max : int
        Of the whole log; a batch that has begun is finished first.

    Attributes
    ----------
    n_commits : int
    n_bytes : int
        Of the item rows that were committed.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        log: LogColumns,
        *,
        n_partitions: int,
        list_every: int = 0,
        commit_interval_s: float,
        commit_events_max: int,
    ) -> None:
        super().__init__(
            engines[0],
            log,
            n_partitions=n_partitions,
            list_every=list_every,
            others=engines[1:],
        )
        self.n_commits = 0
        self.n_bytes = 0
        self._interval_s = commit_interval_s
        self._events_max = commit_events_max
        self._changed: set[int] = set()
        for partition in range(n_partitions):
            for engine in self._followers(partition):
                engine.follow_partition(partition)

    def run(self) -> Iterator[int]:
        """Fold the log; yields the number of events done after each batch."""
        interval = np.floor(self.log.time_s / self._interval_s)
        cuts = np.diff(self._partition, prepend=0) != 0
        cuts |= np.diff(interval, prepend=interval[:1]) != 0
        committed = 0
        for first, end in batch_bounds(np.cumsum(cuts).astype(np.int32)):
            is_due = first - committed >= self._events_max
            if is_due or interval[first] > interval[committed]:
                self.exchange()
                committed = first
            self.rank[first:end] = self._fold(first, end).rank
            self._changed.add(int(self._partition[first]))
            yield end

    def exchange(self) -> None:
        """Commit what changed, and let all other workers take it in."""
        self.n_commits += 1
        for partition in sorted(self._changed):
            rows = self._engine_of(partition).freeze(partition).items
            self.n_bytes += sum(len(key) + len(value) for key, value in rows)
            for engine in self._followers(partition):
                engine.stage_foreign(partition, rows)
        for engine in self._engines:
            engine.refresh_view()
        self._changed.clear()

    def _followers(self, partition: int) -> list[Engine]:
        owner = self._engine_of(partition)
        return [engine for engine in self._engines if engine is not owner]
