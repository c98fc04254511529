"""The classic split by time: learn the first part of a log, tune on the next, test on the last.

    train: first 80 % of the events    validation: next 10 %    test: last 10 %

Train and validation are learned, then the model is frozen: every test event that is new to its user
is ranked by the model as it stood when the test began. Only the clock and what the user has taken
go on, since any server would filter that. So one has figures as offline experiments give them; the
distance to `prequential` is what learning from the stream is worth.

Source: Meng, McCreadie, Macdonald and Ounis, "Exploring data splitting strategies for the
evaluation of recommendation models", RecSys 2020 (temporal global split).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import BATCH_EVENTS_MAX, batch_bounds
from stream_rec.evaluation.ranking_apart import RankingApart

TRAIN_SHARE = 0.8
VALIDATION_SHARE = 0.1


class SplitPrequential(RankingApart):
    """One evaluation of an engine that is frozen before the test.

    Parameters
    ----------
    engine : ScoringEngine
    log : LogColumns
        As `score_test` returns it.
    n_partitions, list_every : int
        As for `Prequential`.
    """

    def run(self) -> Iterator[int]:
        """Learn, then test; yields the number of events done so far."""
        n_events = len(self.log.user)
        _, n_learned = split_bounds(n_events)
        for first, end in batch_bounds(self._partition[:n_learned]):
            self._fold(first, end)
            yield end
        for first in range(n_learned, n_events, BATCH_EVENTS_MAX):
            end = min(first + BATCH_EVENTS_MAX, n_events)
            self._rank(first, end, n_learned)
            yield end


def split_bounds(n_events: int) -> tuple[int, int]:
    """Return where validation and test begin, as numbers of events.

    Examples
    --------
    >>> split_bounds(1000)
    (800, 900)
    """
    return round(n_events * TRAIN_SHARE), round(n_events * (TRAIN_SHARE + VALIDATION_SHARE))


def score_test(log: LogColumns) -> LogColumns:
    """Return the log with the events of the test scored, and no others."""
    return _score_from(log, split_bounds(len(log.user))[1])


def train_and_validation(log: LogColumns) -> LogColumns:
    """Return the log without the test, with the events of the validation scored."""
    n_train, n_learned = split_bounds(len(log.user))
    return _score_from(log.first(n_learned), n_train)


def _score_from(log: LogColumns, first: int) -> LogColumns:
    return log._replace(is_scored=log.is_scored & (np.arange(len(log.user)) >= first))
