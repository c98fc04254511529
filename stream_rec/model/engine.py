"""The engine: the one composition of decode → fold → rank, for the partitions of this process.

It is a deterministic function of the events: no clock, no threads, no files. The stream feeds it
runs of records and makes durable what `freeze` returns; `Recommender` and the evaluation feed it
events in process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.adaptive_window import mean_of
from stream_rec.kernels.hashing import mix64
from stream_rec.kernels.held import Holder
from stream_rec.model.batch import FORGETS, Batch, Buffers, Outcome, weights_of_types
from stream_rec.model.events import FORGET, EventDecoder, rated_types
from stream_rec.model.fold import fold_batch, link_places_of_event
from stream_rec.model.ids import hash_id
from stream_rec.model.intake import DecodedRun, portions
from stream_rec.model.learned import Partition
from stream_rec.model.lists import Listed, check_length, empty_listed, list_for_user
from stream_rec.model.message import MessageWriter
from stream_rec.model.partitioned import PartitionedModel
from stream_rec.model.ranking import Model
from stream_rec.model.ratings import expect_rating
from stream_rec.model.runs import EventRun, HitRate, Record, Run, RunResult
from stream_rec.model.users import ProfileReader

MODEL_VERSION = "6"


class Engine(PartitionedModel):
    """The recommender over the partitions of a topic.

    Parameters
    ----------
    model : ModelSettings
    events : EventSettings
    source_topic : str
        Named in the messages.
    n_partitions : int
        Of the source topic; with one, the view needs no sum of its own.
    read_only : bool
        Whether no partition will be owned: then even a single one is followed.
    read_profiles : ProfileReader, optional
        Reads the profiles store; without it all profiles stay in memory.
    """

    def __init__(
        self,
        model: ModelSettings,
        events: EventSettings,
        *,
        source_topic: str,
        n_partitions: int,
        read_only: bool = False,
        read_profiles: ProfileReader | None = None,
    ) -> None:
        super().__init__(
            model,
            events,
            n_partitions=n_partitions,
            read_only=read_only,
            read_profiles=read_profiles,
        )
        self._decoder = EventDecoder(events)
        self._weight_of_type = weights_of_types(events.types) | {FORGET: FORGETS}
        self._rated_types = rated_types(events)
        self._held_model: Holder[Model] = Holder()
        self._buffers = Buffers(model.list_length)
        self._writer = MessageWriter(self.items.ids, self.half_lives_s, MODEL_VERSION, source_topic)

    # Hot path

    def process(self, runs: Sequence[Run[Record]], generated_at_ms: int) -> list[RunResult]:
        """Fold runs of records in turn; rank the refreshed list of each accepted event.

        The outcome is that of one call for each run, but what a call costs is paid once.

        Parameters
        ----------
        runs : sequence of Run
            Of open partitions.
        generated_at_ms : int
            Written into the messages.

        Returns
        -------
        list of RunResult
            In the order of the runs.
        """
        decoded = [DecodedRun(run, self._decoder) for run in runs]
        for portion in portions(decoded, self.item_limit):
            events = [taken for _, taken in portion]
            outcome = self.fold(events, publish=True)
            messages = self._writer.write(events, outcome, generated_at_ms)
            bounds = pairwise(accumulate((len(run.events) for run in events), initial=0))
            for (run, taken), (first, end) in zip(portion, bounds, strict=True):
                run.publish(taken, outcome.status[first:end], messages[first:end])
        for partition, records in runs:
            if records:
                self._folded[partition] = max(self._folded[partition], records[-1].offset)
        return [run.result() for run in decoded]

    def fold(self, runs: Sequence[EventRun], *, publish: bool) -> Outcome:
        """Fold checked events of one partition after the other.

        Parameters
        ----------
        runs : sequence of EventRun
        publish : bool
            Whether to rank each event's refreshed list too.

        Returns
        -------
        Outcome
            Of the events of all runs.
        """
        ends = accumulate(len(run.events) for run in runs)
        partitions = [run.partition for run in runs]
        return self.fold_columns(
            self._columns(runs), list(zip(partitions, ends, strict=True)), publish=publish
        )

    def fold_columns(
        self, batch: Batch, ends: Sequence[tuple[int, int]], *, publish: bool
    ) -> Outcome:
        """Fold events that are in columns already.

        Parameters
        ----------
        batch : Batch
        ends : sequence of (partition, end)
            Whose events come next, up to `end`.
        publish : bool
            Whether to rank each event's refreshed list too.
        """
        n_events = len(batch.user)
        self._buffers.fill(batch)
        self._fit_workspace()
        entered = self.items.order.enter(self.items.ids, batch.item)
        self.users.reserve_seen_blocks(n_events)
        done = 0
        for partition, end in ends:
            while done < end:
                done = fold_batch(
                    self._held_model.of(self._model()),
                    self._holders[partition].of(self.partition(partition)),
                    self._separate,
                    self._buffers.batch,
                    self._buffers.outcome,
                    done,
                    end,
                    publish,
                )
                if done < end:
                    most = link_places_of_event(
                        self._settings.history_length, self._settings.links_per_item_max
                    )
                    self.items.reserve_links(partition, most + most // 8 * (end - done))
        self.items.settle_order(entered)
        return self._buffers.outcome_of(n_events)

    def recommend(self, partition: int, user: str, n: int, now_s: float) -> Listed:
        """Rank for one user of a partition, without learning anything.

        Raises
        ------
        ValueError
            The list would have no item, or too many.
        """
        check_length(n)
        slot = int(self.users.slots([(partition, [hash_id(user)])])[0])
        self._fit_workspace()
        listed = empty_listed(n)
        n_listed = list_for_user(
            self._held_model.of(self._model()),
            slot,
            now_s,
            self._recipe._replace(list_length=n),
            *listed,
        )
        self.users.drop_if_unknown(slot)
        return Listed._make(column[:n_listed] for column in listed)

    def hit_rate(self, partition: int) -> HitRate:
        """Return how well an open partition foresees what is taken next."""
        hits = self.weights.own[partition].hits
        return HitRate(float(mean_of(hits)), int(hits.n_changes.sum()))

    def reading(self) -> Model:
        """Return what a ranking reads, for questions that teach nothing (inquiry.py).

        The next call of any method of the engine may replace the arrays.
        """
        self._fit_workspace()
        return self._model()

    def expect_rating(self, partition: int, user: str, item: str) -> float | None:
        """Return the rating expected of a user for an item, in raw units of the scale.

        A user or an item without ratings counts as average. None before any rating was learned.
        """
        ratings_seen = self.weights.view.ratings_seen
        if ratings_seen[0] == 0.0:
            return None
        self._fit_workspace()
        user_hash, item_hash = hash_id(user), hash_id(item)
        user_slot = int(self.users.slots([(partition, [user_hash])])[0])
        item_slot = self.items.ids.find(item)
        rows = self.items.view.rows.rating
        expected = expect_rating(
            ratings_seen,
            self.users.rows.rating[user_slot],
            np.zeros_like(rows[0]) if item_slot is None else rows[item_slot],
            np.uint64(user_hash),
            np.uint64(item_hash),
        )
        self.users.drop_if_unknown(user_slot)
        return expected

    # Inside

    def _columns(self, runs: Sequence[EventRun]) -> Batch:
        events = [event for run in runs for event in run.events]
        user = self.users.slots(
            [(run.partition, [hash_id(event.user) for event in run.events]) for run in runs]
        )
        return Batch(
            user=user,
            item=self._item_slots([event.item for event in events]),
            time_s=np.array([event.ts for event in events], np.float64),
            weight=np.array([self._weight_of_type[event.type] for event in events], np.int32),
            value=np.array(
                [event.value if event.type in self._rated_types else np.nan for event in events],
                np.float64,
            ),
            event_id=np.array(
                [0 if event.event_id is None else hash_id(event.event_id) for event in events],
                np.uint64,
            ),
            offset=np.array([offset for run in runs for offset in run.offsets], np.int64),
        )

    def _item_slots(self, items: list[str]) -> NDArray[np.int32]:
        """Return the slots of items; who asks to be forgotten names none, and 0 stands for it."""
        if all(items):
            return self.items.ids.slots(items)
        slots = np.zeros(len(items), np.int32)
        slots[[item != "" for item in items]] = self.items.ids.slots(list(filter(None, items)))
        return slots

    def _model(self) -> Model:
        self.items.order.enter_waiting(self.items.ids)
        return Model(
            self.items.view,
            self.weights.view,
            self.users.rows,
            self.items.ids.hashes,
            self.users.hashes,
            self._workspace,
            self._recipe,
        )

    def partition(self, partition: int) -> Partition:
        """Return what an event of an open partition changes, beside the view."""
        return Partition(
            self.items.own[partition],
            self.weights.own[partition],
            self.weights.durable[partition],
            _seed_of(self._settings.seed, partition),
        )


@cache
def _seed_of(seed: int, partition: int) -> NDArray[np.uint64]:
    """Return the seed of all random draws of a partition: uint64[1]."""
    return np.array([mix64(np.uint64(seed) ^ mix64(np.uint64(partition)))], np.uint64)
