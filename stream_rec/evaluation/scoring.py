"""An engine that can also rank for an event without learning it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.user_events import UserEvents
from stream_rec.kernels.candidates import position_of
from stream_rec.kernels.jit import inner_kernel, kernel, widen
from stream_rec.kernels.ranker import rank_of
from stream_rec.kernels.workspace import Workspace
from stream_rec.model.batch import NOT_PROPOSED, Batch
from stream_rec.model.engine import Engine
from stream_rec.model.ranking import Model, rank_for_user


class ScoringEngine(Engine):
    """An engine that can also tell the rank of an item without learning anything."""

    def silence(self, columns: Sequence[int]) -> None:
        """Let feature columns say nothing, from the start: rank without them."""
        n_written = len(self._workspace.feature)
        silent = [column for column in columns if column < n_written]
        self._recipe = self._recipe._replace(silent=np.array(silent, np.int32))

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
            self._held_model.of(self._model()),
            columns,
            is_scored,
            histories,
            first,
            end,
            n_learned,
            rank,
        )


@kernel
def _rank_events(
    model: Model,
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
        now_s = max(columns.time_s[e], model.profiles.last_s[user])
        n_candidates = rank_for_user(model, model.recipe, user, now_s)
        workspace = model.workspace
        _drop_taken(workspace, columns, histories, e, n_learned, n_candidates)
        target = position_of(workspace, columns.item[e], n_candidates)
        rank[e] = NOT_PROPOSED
        if target >= 0:
            rank[e] = rank_of(workspace, target, n_candidates)


@inner_kernel
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
