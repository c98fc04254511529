"""The message on the recommendations topic: a user's refreshed list as JSON (docs/messages.md).

Joined from ready-made pieces, because it is done for every event: ids are encoded once per item,
the scores of a batch all at once.
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
SCORE_DECIMALS = 5

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
        self._items: list[str] = []
        self._causes: list[str] = []
        self._unnamed: list[int] = []
        self._version_json = _json(model_version)
        self._topic_json = _json(topic)

    def score_texts(self, scores: NDArray[np.float32]) -> list[list[str]]:
        """Return the scores of many lists as JSON numbers of at most five decimals.

        Parameters
        ----------
        scores : float32[E, n]
            Finite.
        """
        n_events, length = scores.shape
        rounded = np.round(scores.astype(np.float64), SCORE_DECIMALS).ravel()
        texts = msgspec.json.encode(rounded.tolist()).decode()[1:-1].split(",")
        return [texts[e * length : (e + 1) * length] for e in range(n_events)]

    def write(
        self,
        user: str,
        items: Sequence[int],
        scores: Sequence[str],
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
        items, reasons, because : sequences of n
            The list in order, as `Outcome` has it.
        scores : sequence of n
            Of `score_texts`.
        generated_at_ms : int
            Epoch milliseconds.
        partition, offset : int
            Of the source event.
        time_s : float
            Its event time.
        """
        self._encode_new_items()
        heads, sources, causes = self._items, self._sources, self._causes
        pieces: list[str] = []
        for item, score, reason, cause in zip(items, scores, reasons, because, strict=True):
            pieces += (heads[item], score, sources[reason], causes[cause] if cause >= 0 else "}]},")
        entries = "".join(pieces)[:-1]
        return (
            f'{{"user":{_json(user)},"items":[{entries}],"generated_at":{generated_at_ms},'
            f'"model_version":{self._version_json},"source":{{"topic":{self._topic_json},'
            f'"partition":{partition},"offset":{offset},"ts":{time_s:.3f}}}}}'
        ).encode()

    def _encode_new_items(self) -> None:
        """Make the pieces of every item: as one that is listed, and as the cause of another.

        Of an item that is known only by its hash so far, again when its id has come.
        """
        texts, known = self._ids.texts, len(self._items)
        if known == len(texts) and not self._unnamed:
            return
        self._items += [""] * (len(texts) - known)
        self._causes += [""] * (len(texts) - known)
        slots = [*self._unnamed, *range(known, len(texts))]
        for slot in slots:
            name = _json(texts[slot])
            self._items[slot] = f'{{"item":{name},"score":'
            self._causes[slot] = f',"because":{name}}}]}},'
        self._unnamed = [slot for slot in slots if not texts[slot]]


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
