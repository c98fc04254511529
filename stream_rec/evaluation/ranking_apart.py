"""What the protocols share that rank for an event apart from learning it."""

from __future__ import annotations

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import Prequential
from stream_rec.evaluation.scoring import ScoringEngine
from stream_rec.evaluation.user_events import user_events


class RankingApart(Prequential):
    """An evaluation whose `run` says when events are ranked, and when they are learned.

    Parameters
    ----------
    engine : ScoringEngine
    log : LogColumns
    n_partitions, list_every : int
        As for `Prequential`.
    """

    def __init__(
        self,
        engine: ScoringEngine,
        log: LogColumns,
        *,
        n_partitions: int = 1,
        list_every: int = 0,
    ) -> None:
        super().__init__(engine, log, n_partitions=n_partitions, list_every=list_every)
        self._scoring = engine
        self._histories = user_events(log.user, len(log.users))

    def _rank(self, first: int, end: int, n_learned: int) -> None:
        """Rank for the scored events from `first` up to `end`, of a model that learned so many."""
        self._scoring.rank_columns(
            self.columns, self.log.is_scored, self._histories, first, end, n_learned, self.rank
        )
