"""The message on the recommendations topic: a user's refreshed list as JSON (docs/messages.md).

Written by joining ready-made pieces, because it is done for every event; ids are encoded once per
item.
"""

from __future__ import annotations

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
        self._sources = source_names(half_lives_s)
        self._item_json: list[str] = []
        self._version_json = _json(model_version)
        self._topic_json = _json(topic)

    def write(
        self,
        user: str,
        items: NDArray[np.int32],
        scores: NDArray[np.float32],
        reasons: NDArray[np.int8],
        because: NDArray[np.int32],
        generated_at_ms: int,
        partition: int,
        offset: int,
        time_s: float,
    ) -> bytes:
        """Return the message for one event.

        Parameters
        ----------
        items, scores, reasons, because : arrays of n
            The list in order, as `Outcome` has it.
        generated_at_ms : int
            Epoch milliseconds.
        partition, offset : int
            Of the source event.
        time_s : float
            Its event time.
        """
        names = self._names()
        entries = []
        for item, score, reason, cause in zip(
            items.tolist(), scores.tolist(), reasons.tolist(), because.tolist(), strict=True
        ):
            source = self._sources[reason]
            cause_json = f',"because":{names[cause]}' if cause >= 0 else ""
            entries.append(
                f'{{"item":{names[item]},"score":{score:.5g},"reasons":[{{"source":"{source}"{cause_json}}}]}}'
            )
        return (
            f'{{"user":{_json(user)},"items":[{",".join(entries)}],"generated_at":{generated_at_ms},'
            f'"model_version":{self._version_json},"source":{{"topic":{self._topic_json},'
            f'"partition":{partition},"offset":{offset},"ts":{time_s:.3f}}}}}'
        ).encode()

    def _names(self) -> list[str]:
        """Return the JSON text of every item's id, encoding those that are new."""
        known = len(self._item_json)
        if known < len(self._ids):
            self._item_json.extend(map(_json, self._ids.texts[known:]))
        return self._item_json


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
