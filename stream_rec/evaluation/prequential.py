"""Prequential evaluation: each event first tests the engine, then the engine learns it.

    rank(e) = place of item(e) in the ranking for user(e) by a model that has learned events 0 … e−1

The engine under test is the one that runs under Kafka, driven in process: a batch is a run of
consecutive events of one partition, so events are learned in the order of the log whatever the
number of partitions. Users go to partitions by hash, as keys of a topic do. No clock: whoever steps
through `run` may take the time of each step.

Source: Vinagre, Jorge and Gama, "Evaluation of recommender systems in streaming environments",
RecSys workshop on recommender systems evaluation, 2014.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.lists import ShownLists
from stream_rec.model.batch import NOT_PROPOSED, Batch, Outcome
from stream_rec.model.engine import Engine
from stream_rec.model.ids import hash_id

BATCH_EVENTS_MAX = 512
"""More costs memory for lists, fewer costs the call of a compiled function more often."""


class Prequential:
    """One evaluation of an engine over a log.

    Parameters
    ----------
    engine : Engine
        Without open partitions; it is left as it is after the last event.
    log : LogColumns
    n_partitions : int
        As the engine was made for.
    list_every : int
        One batch in so many has its refreshed lists kept for `lists`; 0 for none.
    others : sequence of Engine
        More of the same: partition p is learned by engine p modulo their number.
    batch_events_max : int
        Events that are learned between two looks of whoever steps through.

    Attributes
    ----------
    rank : int32[E]
        Place of the item taken, from 0, NOT_PROPOSED where it was no candidate. Meaningful where
        the log says that the event is scored.
    expected : float32[E]
        The rating that was expected when the event was learned, NaN where it is no rating.
    lists : ShownLists
    log : LogColumns
    engine : Engine
    columns : Batch
        The log as the engine takes it, ids as slots.
    """

    def __init__(
        self,
        engine: Engine,
        log: LogColumns,
        *,
        n_partitions: int = 1,
        list_every: int = 0,
        others: Sequence[Engine] = (),
        batch_events_max: int = BATCH_EVENTS_MAX,
    ) -> None:
        self.rank: NDArray[np.int32] = np.full(len(log.user), NOT_PROPOSED, np.int32)
        self.expected: NDArray[np.float32] = np.full(len(log.user), np.nan, np.float32)
        self.lists = ShownLists(len(log.users), len(log.items))
        self.engine = engine
        self._engines = [engine, *others]
        self.log = log
        self._list_every = list_every
        self._batch_events_max = batch_events_max
        self._n_batches = 0
        partition, user_slot = _place_users(self._engines, log.users, n_partitions)
        for each in self._engines:  # the same slots in all, for all begin with none
            item_slot = each.items.ids.slots(log.items)
        self._partition: NDArray[np.int32] = partition[log.user]
        self.columns = Batch(
            user=user_slot[log.user],
            item=item_slot[log.item],
            time_s=log.time_s,
            weight=log.weight,
            value=log.value,
            event_id=log.event_id,
            offset=np.arange(len(log.user), dtype=np.int64),
        )

    def run(self) -> Iterator[int]:
        """Fold the log; yields the number of events done after each batch."""
        for first, end in batch_bounds(self._partition, self._batch_events_max):
            self.rank[first:end] = self._fold(first, end).rank
            yield end

    def _fold(self, first: int, end: int) -> Outcome:
        """Let the engine learn a run of events of one partition, and note the lists it shows."""
        publish = self._list_every > 0 and self._n_batches % self._list_every == 0
        self._n_batches += 1
        batch = Batch._make(column[first:end] for column in self.columns)
        partition = int(self._partition[first])
        outcome = self._engine_of(partition).fold_columns(
            batch, [(partition, end - first)], publish=publish
        )
        self.expected[first:end] = outcome.expected
        if publish:
            self.lists.add(self.log.user[first:end], outcome.item, outcome.n_listed)
        return outcome

    def _engine_of(self, partition: int) -> Engine:
        return self._engines[partition % len(self._engines)]


def _place_users(
    engines: Sequence[Engine], users: list[str], n_partitions: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return each user's partition and profile slot; without a store no profile is evicted."""
    hashes = [hash_id(user) for user in users]
    partition = np.array([h % n_partitions for h in hashes], np.int32)
    slot = np.zeros(len(hashes), np.int32)
    for owner in range(n_partitions):
        engine = engines[owner % len(engines)]
        engine.open_partition(owner)
        members = np.flatnonzero(partition == owner)
        slot[members] = engine.users.slots([(owner, [hashes[m] for m in members])])
    return partition, slot


def batch_bounds(
    partition: NDArray[np.int32], events_max: int = BATCH_EVENTS_MAX
) -> Iterator[tuple[int, int]]:
    """Cut a log into runs of events of one partition, of at most so many events.

    Parameters
    ----------
    partition : int32[E]
        Of each event.
    events_max : int

    Examples
    --------
    >>> list(batch_bounds(np.array([0, 0, 1, 0], np.int32)))
    [(0, 2), (2, 3), (3, 4)]
    """
    changes = np.flatnonzero(np.diff(partition)) + 1
    ends = [*changes.tolist(), len(partition)]
    first = 0
    for end in ends:
        while first < end:
            until = min(first + events_max, end)
            yield first, until
            first = until
