"""Prequential evaluation of an engine that learns every event some time later than it happens.

    rank(e) = place of item(e) by a model that has learned all x with time(x) + delay ≤ time(e)

Beside `Prequential` this shows what real time is worth: a delay of an hour is a micro-batch, one
of a day the nightly batch. Lists are served without the items that the user has already taken,
learned or not, as any server would filter them. With a delay, events of the same time never teach
each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import batch_bounds
from stream_rec.evaluation.ranking_apart import RankingApart
from stream_rec.evaluation.scoring import ScoringEngine


class DelayedPrequential(RankingApart):
    """One evaluation of an engine that learns with a delay.

    Parameters
    ----------
    engine : ScoringEngine
    log : LogColumns
    delay_s : float
        More than 0.
    n_partitions, list_every : int
        As for `Prequential`.
    """

    def __init__(
        self,
        engine: ScoringEngine,
        log: LogColumns,
        *,
        delay_s: float,
        n_partitions: int = 1,
        list_every: int = 0,
    ) -> None:
        super().__init__(engine, log, n_partitions=n_partitions, list_every=list_every)
        self._n_due: NDArray[np.int64] = np.searchsorted(
            log.time_s, log.time_s - delay_s, side="right"
        )

    def run(self) -> Iterator[int]:
        """Test and learn the log; yields the number of events tested so far."""
        log, n_due = self.log, self._n_due
        n_learned = 0
        changes = np.flatnonzero(np.diff(n_due)) + 1
        firsts, ends = [0, *changes.tolist()], [*changes.tolist(), len(log.user)]
        for first, end in zip(firsts, ends, strict=True):
            until = int(n_due[first])
            for start, stop in batch_bounds(self._partition[n_learned:until]):
                self._fold(n_learned + start, n_learned + stop)
            n_learned = until
            self._rank(first, end, n_learned)
            yield end
