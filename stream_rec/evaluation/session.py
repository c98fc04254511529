"""The protocol of session-rec: the next item in the sessions of the last day, repeated items count.

    scored(e) ⇔ e is positive, not the first of its session, and its session ends on the last day

The users of the log are its sessions. Everything is ranked, also what the session has had before,
and learning goes on through the last day, as a stream does: only what is counted differs from
`prequential`. session-rec also drops rare items and test items that were not trained on; here they
stay, and are misses until they are known.

Source: Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import batch_bounds
from stream_rec.evaluation.ranking_apart import RankingApart
from stream_rec.evaluation.user_events import user_events

LAST_S = 86_400.0


class SessionPrequential(RankingApart):
    """One evaluation of an engine on the next items of the sessions of the last day.

    Parameters
    ----------
    engine : ScoringEngine
        With `exclude_seen` off.
    log : LogColumns
        As `score_sessions` returns it.
    n_partitions, list_every : int
        As for `Prequential`.
    """

    def run(self) -> Iterator[int]:
        """Test and learn the log; yields the number of events done so far."""
        cuts = _cuts(self._partition, self.log.is_scored)
        for first, end in batch_bounds(cuts):
            if self.log.is_scored[first]:
                self._rank(first, end, n_learned=first)
            self._fold(first, end)
            yield end


def score_sessions(log: LogColumns) -> LogColumns:
    """Return the log with the events scored that this protocol scores."""
    own = user_events(log.user, len(log.users))
    last_s = log.time_s[own.event[own.start[1:] - 1]]
    is_late = last_s[log.user] >= log.time_s[-1] - LAST_S
    is_next = own.place > own.start[log.user]
    return log._replace(is_scored=is_late & is_next & (log.weight > 0))


def _cuts(partition: NDArray[np.int32], is_scored: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the runs of events that may be learned at once: a scored event is always alone."""
    changes = np.diff(partition, prepend=partition[:1]) != 0
    after_scored = np.concatenate([np.zeros(1, np.bool_), is_scored[:-1]])
    return np.cumsum(changes | is_scored | after_scored).astype(np.int32)
