"""The message on the recommendations topic: a user's refreshed list as JSON (docs/messages.md).

Written by filling ready-made pieces into one format, because it is done for every event; ids are
encoded once per item.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.workspace import (
    AFTER_INVERSE,
    AFTER_LAST,
    N_LINK_SOURCES,
    NEAR_INVERSE,
    NEAR_ROOT,
    WIDE_ROOT,
)
from stream_rec.model.ids import ItemIds

SCHEMA_VERSION = 1

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
        self._ids = ids
        self._sources = [f',"reasons":[{{"source":"{name}"' for name in source_names(half_lives_s)]
        self._formats: dict[int, str] = {}
        self._item_json: list[str] = []
        self._version_json = _json(model_version)
        self._topic_json = _json(topic)

    def write(
        self,
        user: str,
        items: Sequence[int],
        scores: Sequence[float],
        reasons: Sequence[int],
        because: Sequence[int],
        generated_at_ms: int,
        partition: int,
        offset: int,
        time_s: float,
    ) -> bytes:
        """Return the message for one event.

        Parameters
        ----------
        items, scores, reasons, because : sequences of n
            The list in order, as `Outcome` has it.
        generated_at_ms : int
            Epoch milliseconds.
        partition, offset : int
            Of the source event.
        time_s : float
            Its event time.
        """
        names = self._names()
        sources = self._sources
        pieces: list[str | float] = []
        for item, score, reason, cause in zip(items, scores, reasons, because, strict=True):
            because_json = ',"because":' + names[cause] if cause >= 0 else ""
            pieces += (names[item], score, sources[reason], because_json)
        entries = self._format(len(items)) % tuple(pieces)
        return (
            f'{{"user":{_json(user)},"items":[{entries}],"generated_at":{generated_at_ms},'
            f'"model_version":{self._version_json},"source":{{"topic":{self._topic_json},'
            f'"partition":{partition},"offset":{offset},"ts":{time_s:.3f}}}}}'
        ).encode()

    def _format(self, n_items: int) -> str:
        """Return the format of the entries of a list."""
        if n_items not in self._formats:
            self._formats[n_items] = ",".join(['{"item":%s,"score":%.5g%s%s}]}'] * n_items)
        return self._formats[n_items]

    def _names(self) -> list[str]:
        """Return the JSON text of every item's id, encoding those that are new."""
        known = len(self._item_json)
        if known < len(self._ids):
            self._item_json.extend(map(_json, self._ids.texts[known:]))
        return self._item_json


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
