"""Prequential evaluation of an engine that learns every event some time later than it happens.

    rank(e) = place of item(e) by a model that has learned all x with time(x) + delay ≤ time(e)

Beside `Prequential` this shows what real time is worth: a delay of an hour is a micro-batch, one
of a day the nightly batch. Lists are served without the items that the user has already taken,
learned or not, as any server would filter them. With a delay, events of the same time never teach
each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.prequential import Prequential, batch_bounds
from stream_rec.evaluation.user_events import UserEvents, user_events
from stream_rec.kernels.candidates import position_of
from stream_rec.kernels.jit import kernel, widen
from stream_rec.kernels.profiles import ProfileRows
from stream_rec.kernels.ranker import rank_of
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import Workspace
from stream_rec.model.engine import Engine
from stream_rec.model.fold import NOT_PROPOSED, Batch
from stream_rec.model.ranking import Recipe, rank_for_user


class ScoringEngine(Engine):
    """An engine that can also tell the rank of an item without learning anything."""

    def rank_columns(
        self,
        columns: Batch,
        is_scored: NDArray[np.bool_],
        histories: UserEvents,
        first: int,
        end: int,
        n_learned: int,
        rank: NDArray[np.int32],
    ) -> None:
        """Write the ranks of the items of scored events from `first` up to `end`.

        Parameters
        ----------
        columns : Batch
            Of the whole log.
        is_scored : bool[E]
        histories : UserEvents
        first, end : int
        n_learned : int
            Events learned so far; a user's events from there on are unknown to the model.
        rank : int32[E]
            Written.
        """
        self._fit_workspace()
        _rank_events(
            self.items.view,
            self.weights.view,
            self.users.rows,
            self._workspace,
            self._recipe,
            columns,
            is_scored,
            histories,
            first,
            end,
            n_learned,
            rank,
        )


class DelayedPrequential(Prequential):
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
        self._scoring = engine
        self._histories = user_events(log.user, len(log.users))
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
            self._scoring.rank_columns(
                self._columns, log.is_scored, self._histories, first, end, n_learned, self.rank
            )
            yield end


@kernel
def _rank_events(
    items: ItemView,
    learned: Any,
    profiles: ProfileRows,
    workspace: Workspace,
    recipe: Recipe,
    columns: Batch,
    is_scored: NDArray[np.bool_],
    histories: UserEvents,
    first: int,
    end: int,
    n_learned: int,
    rank: NDArray[np.int32],
) -> None:
    for e in range(first, end):
        if not is_scored[e]:
            continue
        user = widen(columns.user[e])
        now_s = max(columns.time_s[e], profiles.last_s[user])
        n_candidates = rank_for_user(items, learned, profiles, user, now_s, workspace, recipe)
        _drop_taken(workspace, columns, histories, e, n_learned, n_candidates)
        target = position_of(workspace, columns.item[e], n_candidates)
        rank[e] = NOT_PROPOSED
        if target >= 0:
            rank[e] = rank_of(workspace, target, n_candidates)


@kernel
def _drop_taken(
    workspace: Workspace,
    columns: Batch,
    histories: UserEvents,
    e: int,
    n_learned: int,
    n_candidates: int,
) -> None:
    """Put candidates that the user took since the model last learned behind all others."""
    for place in range(histories.place[e] - 1, -1, -1):
        earlier = histories.event[place]
        if earlier < n_learned or columns.user[earlier] != columns.user[e]:
            break
        taken = position_of(workspace, columns.item[earlier], n_candidates)
        if taken >= 0:
            workspace.score[taken] = -np.inf
