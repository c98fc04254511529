"""The message on the recommendations topic: a user's refreshed list as JSON (docs/messages.md).

Joined from ready-made pieces, because it is done for every event: ids are encoded once per item,
the lists of a batch are written all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.listing import Pieces, pieces_of, write_lists
from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    AFTER_LAST,
    N_LINK_SOURCES,
    NEAR_INVERSE,
    NEAR_ROOT,
    WIDE_ROOT,
)
from stream_rec.model.batch import Outcome
from stream_rec.model.growing import lengthened
from stream_rec.model.ids import ItemIds
from stream_rec.model.runs import EventRun

SCHEMA_VERSION = 1
FIRST_BYTES = 1 << 16

LINK_SOURCE_NAMES = {
    NEAR_INVERSE: "taken_together",
    NEAR_ROOT: "taken_together",
    WIDE_ROOT: "taken_together",
    AFTER_INVERSE: "taken_next",
    AFTER_LAST: "taken_next",
}


def source_names(half_lives_s: NDArray[np.float64]) -> list[str]:
    """Return the name of the source behind each feature column, and last that of none (a new item).

    Examples
    --------
    >>> source_names(np.array([7200.0, 86400.0]))[:3]
    ['popular_2h', 'popular_1d', 'popular']
    """
    popular = [f"popular_{_duration(h)}" for h in half_lives_s.tolist()]
    links = [LINK_SOURCE_NAMES[s] for s in range(N_LINK_SOURCES)]
    return [*popular, "popular", *links, "new"]


def _duration(seconds: float) -> str:
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s and seconds % unit_s == 0:
            return f"{seconds / unit_s:g}{unit}"
    return f"{seconds:g}s"


class MessageWriter:
    """Writes recommendation messages.

    Parameters
    ----------
    ids : ItemIds
    half_lives_s : float64[H]
    model_version : str
    topic : str
        The source topic that the messages name.
    """

    def __init__(
        self, ids: ItemIds, half_lives_s: NDArray[np.float64], model_version: str, topic: str
    ) -> None:
        self._names = _Names(ids)
        self._sources = pieces_of([_json(name) for name in source_names(half_lives_s)])
        self._buffer: NDArray[np.uint8] = np.empty(FIRST_BYTES, np.uint8)
        self._version_json = _json(model_version)
        self._topic_json = _json(topic)

    def write(
        self, runs: Sequence[EventRun], outcome: Outcome, generated_at_ms: int
    ) -> list[bytes]:
        """Return the message of each event, with its list or an empty one.

        Parameters
        ----------
        runs : sequence of EventRun
        outcome : Outcome
            Of the events of all runs; scores are finite.
        generated_at_ms : int
            Epoch milliseconds.
        """
        entries = iter(self._entries(outcome))
        messages = []
        for partition, events, offsets in runs:
            tail = (
                b'],"generated_at":%d,"model_version":%b,'
                b'"source":{"topic":%b,"partition":%d,"offset":'
                % (generated_at_ms, self._version_json, self._topic_json, partition)
            )
            messages += [
                b'{"user":%b,"items":[%b%b%d,"ts":%.3f}}'
                % (_json(event.user), next(entries), tail, at, event.ts or 0.0)
                for event, at in zip(events, offsets, strict=True)
            ]
        return messages

    def _entries(self, outcome: Outcome) -> list[bytes]:
        """Return the entries of each list, with commas between them."""
        names = self._names.pieces()
        n_lists = len(outcome.n_listed)
        ends = np.zeros(n_lists, np.int64)
        done = 0
        while True:
            done = write_lists(
                names,
                self._sources,
                outcome.item,
                outcome.score,
                outcome.reason,
                outcome.because,
                outcome.n_listed,
                done,
                self._buffer,
                ends,
            )
            if done == n_lists:
                break
            self._buffer = np.append(self._buffer, np.empty_like(self._buffer))
        bounds = [0, *ends.tolist()]
        text = self._buffer[: bounds[-1]].tobytes()
        return [text[start : end - 1] if end > start else b"" for start, end in pairwise(bounds)]


class _Names:
    """The ids of all items as JSON, each encoded once."""

    def __init__(self, ids: ItemIds) -> None:
        self._ids = ids
        self._pieces = Pieces(
            np.empty(FIRST_BYTES, np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int32)
        )
        self._n_bytes = self._n_known = 0
        self._unnamed: NDArray[np.int64] = np.zeros(0, np.int64)

    def pieces(self) -> Pieces:
        """Return them by slot, with the items that have come since the last call.

        Of an item that is known only by its hash so far, again when its id has come.
        """
        is_named, n_items = self._ids.is_named, len(self._ids)
        if n_items == self._n_known and not len(self._unnamed):
            return self._pieces
        new = np.arange(self._n_known, n_items)
        named = self._unnamed[is_named[self._unnamed]]
        if len(new) or len(named):
            waiting = np.append(self._unnamed, new)
            self._unnamed, self._n_known = waiting[~is_named[waiting]], n_items
            self._add(np.append(named, new))
        return self._pieces

    def _add(self, slots: NDArray[np.int64]) -> None:
        new = pieces_of([_json(self._ids.texts[slot]) for slot in slots.tolist()])
        first, self._n_bytes = self._n_bytes, self._n_bytes + len(new.text)
        text = lengthened(self._pieces.text, self._n_bytes)
        start, length = (lengthened(column, self._n_known) for column in self._pieces[1:])
        text[first : self._n_bytes] = new.text
        start[slots], length[slots] = first + new.start, new.length
        self._pieces = Pieces(text, start, length)


def _json(text: str) -> bytes:
    return msgspec.json.encode(text)
