"""From runs of records to portions of events that can be folded at once.

A record that cannot be used is noted with its reason. How many events a partition lets in unseen is
bounded (item_limit.py); how many more may follow is known only when these are folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import InvalidEventError
from stream_rec.model.batch import DUPLICATE, FLOOD
from stream_rec.model.events import FORGET, Event, EventDecoder
from stream_rec.model.item_limit import ItemLimit
from stream_rec.model.runs import EventRun, Published, Record, Refused, Run, RunResult


class _Decoded(NamedTuple):
    """A checked event, its place in the run and its offset."""

    place: int
    offset: int
    event: Event


class DecodedRun:
    """A run of records: the events that wait to be folded, and what became of the others.

    Parameters
    ----------
    run : Run
    decoder : EventDecoder

    Attributes
    ----------
    partition : int
    """

    def __init__(self, run: Run[Record], decoder: EventDecoder) -> None:
        self.partition = run.partition
        self._published: list[Published] = []
        self._waiting: list[_Decoded] = []
        self._refused: list[Refused] = []
        self._n_floods = self._n_ignored = self._n_taken = 0
        for place, record in enumerate(run.records):
            try:
                event = decoder.from_record(record.value, record.key, record.timestamp)
            except InvalidEventError as error:
                self._refused.append(Refused(place, error.code, error.reason))
                continue
            if event is None:
                self._n_ignored += 1
                continue
            self._waiting.append(_Decoded(place, record.offset, event))

    @property
    def n_waiting(self) -> int:
        """Number of events that are still to be folded."""
        return len(self._waiting)

    def take(self, limit: ItemLimit) -> EventRun:
        """Hand out events, as many as may come in; all before them must have been folded."""
        n_let_in = limit.let_in(self.partition, self.n_waiting)
        if n_let_in == 0:
            self._refuse_unknown(limit)
            n_let_in = self.n_waiting
        taken, self._waiting = self._waiting[:n_let_in], self._waiting[n_let_in:]
        self._n_taken += n_let_in
        events, offsets = [each.event for each in taken], [each.offset for each in taken]
        return EventRun(self.partition, events, offsets)

    def publish(
        self, taken: EventRun, status: NDArray[np.uint8], messages: Sequence[bytes]
    ) -> None:
        """Take the messages of events that were folded; who is forgotten gets a tombstone.

        Parameters
        ----------
        taken : EventRun
            From `take`, E events.
        status : uint8[E]
            What became of each; a duplicate is not published.
        messages : sequence of E bytes
        """
        is_kept = (status != DUPLICATE).tolist()
        self._published += [
            Published(offset, event.user.encode(), None if event.type == FORGET else message)
            for event, offset, message, kept in zip(
                taken.events, taken.offsets, messages, is_kept, strict=True
            )
            if kept
        ]
        self._n_floods += int(np.count_nonzero(status == FLOOD))

    def result(self) -> RunResult:
        """Return what became of all records, once nothing waits and what was taken is folded."""
        n_duplicates = self._n_taken - len(self._published)
        return RunResult(
            self._published, sorted(self._refused), n_duplicates, self._n_ignored, self._n_floods
        )

    def _refuse_unknown(self, limit: ItemLimit) -> None:
        """Keep the events that a full partition still takes in, and note why not the others."""
        known = []
        for each in self._waiting:
            try:
                limit.check_known(self.partition, each.event.item)
                known.append(each)
            except InvalidEventError as error:
                self._refused.append(Refused(each.place, error.code, error.reason))
        self._waiting = known


def portions(
    runs: Iterable[DecodedRun], limit: ItemLimit
) -> Iterator[list[tuple[DecodedRun, EventRun]]]:
    """Yield the events of runs in order, all that may be folded at once; each time with its run.

    A portion must be folded before the next is asked for. It holds a partition once at most, and
    ends with a run that could not come in whole.
    """
    portion: list[tuple[DecodedRun, EventRun]] = []
    for run in runs:
        if any(run.partition == before.partition for before, _ in portion):
            yield portion
            portion = []
        while run.n_waiting:
            portion.append((run, run.take(limit)))
            if run.n_waiting:
                yield portion
                portion = []
    if portion:
        yield portion
