"""The item view of the service: an engine that only reads, and the answers that need one.

The engine belongs to the event loop. What comes from Kafka is applied a few rows at a time, with
the loop's other work in between, so that no request waits for more than a millisecond or two. Fewer
rows at a time would wait less, but each turn costs as much as some 30 rows.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from stream_rec.config import Settings
from stream_rec.model.engine import Engine
from stream_rec.model.explanation import explain
from stream_rec.model.inquiry import Inquiry, Relation, Scored
from stream_rec.model.lists import Listed
from stream_rec.model.message import source_names
from stream_rec.serving.trend import Trend
from stream_rec.stream.effects import Row

ROWS_AT_ONCE = 64
JUST_NOW = "15m"
TRENDING_WINDOWS_S = {JUST_NOW: 900.0, "2h": 7_200.0, "24h": 86_400.0, "7d": 604_800.0}

Entry = dict[str, Any]
"""An item of a list as in the messages (docs/messages.md)."""


class Trending(NamedTuple):
    """What is popular, and by which count: decayed by a half-life, or of all events since then."""

    half_life_s: float | None
    since_s: float | None
    entries: list[Entry]


class Catalogue:
    """What is known of items.

    Parameters
    ----------
    settings : Settings
    n_partitions : int
        Of the items changelog.

    Attributes
    ----------
    trend : Trend
        Of the last 15 minutes; the observer tells it of events.
    """

    def __init__(self, settings: Settings, n_partitions: int) -> None:
        self._model = settings.model
        self.engine = Engine(
            settings.model,
            settings.events,
            source_topic=settings.topics.events,
            n_partitions=n_partitions,
            read_only=True,
        )
        for partition in range(n_partitions):
            self.engine.follow_partition(partition)
        self.inquiry = Inquiry(self.engine, settings.model, settings.events)
        self._sources = source_names(self.engine.half_lives_s)
        self._now_s: float | None = None
        self._for_everybody: dict[int, list[Entry]] = {}
        self.trend = Trend(TRENDING_WINDOWS_S[JUST_NOW])

    @property
    def now_s(self) -> float:
        """The time of the latest event that is known of: recorded logs lie in the past."""
        if self._now_s is None:
            self._now_s = self.inquiry.latest_s()
        return self._now_s

    @property
    def n_items(self) -> int:
        """Items that are known by name."""
        return len(self.engine.items.ids)

    async def apply(self, rows_of: Mapping[int, Sequence[Row]]) -> None:
        """Take rows by partition, with pauses for whoever waits."""
        for partition, rows in rows_of.items():
            for first in range(0, len(rows), ROWS_AT_ONCE):
                self.engine.stage_foreign(partition, rows[first : first + ROWS_AT_ONCE])
                self._changed()
                await asyncio.sleep(0)
        while self.engine.refresh_view(ROWS_AT_ONCE):
            self._changed()
            await asyncio.sleep(0)
        self._changed()

    def entries(self, listed: Listed) -> list[Entry]:
        """Return a list as in the messages."""
        texts = self.engine.items.ids.texts
        entries = []
        columns = (listed.items, listed.scores, listed.reasons, listed.because)
        for item, score, reason, cause in zip(*(c.tolist() for c in columns), strict=True):
            why = {"source": self._sources[reason]}
            if cause >= 0:
                why["because"] = texts[cause]
            entries.append({"item": texts[item], "score": _rounded(score), "reasons": [why]})
        return entries

    def for_everybody(self, n: int) -> list[Entry]:
        """Return the list of somebody of whom nothing is known; ranked once for each view."""
        if n not in self._for_everybody:
            listed = self.inquiry.list_for_history([], n, self.now_s)
            self._for_everybody[n] = self.entries(listed)
        return self._for_everybody[n]

    def related(self, item: str, relation: Relation) -> list[Entry] | None:
        """Return items related to one, with the strength of it; None if the item is not known."""
        scored = self.inquiry.related(item, relation)
        return None if scored is None else self._scored(scored)

    def trending(self, window: str) -> Trending:
        """Return the items taken most in the last 15 minutes, or those popular at a half-life.

        It is the half-life nearest to the window; so for 15 minutes of which nothing is known.
        """
        if window == JUST_NOW and (taken := self.trend.items()):
            entries = [{"item": item, "score": _rounded(score)} for item, score in taken]
            return Trending(None, self.trend.since_s, entries)
        window_s = TRENDING_WINDOWS_S[window]
        half_lives_s = self._model.half_lives_s
        distance = [max(h / window_s, window_s / h) for h in half_lives_s]
        which = distance.index(min(distance))
        entries = self._scored(self.inquiry.trending(which, self.now_s))
        return Trending(half_lives_s[which], None, entries)

    def popularity_of(self, item: str) -> Entry | None:
        """Return what is known of an item's popularity."""
        slot = self.engine.items.ids.find(item)
        if slot is None:
            return None
        rows = self.engine.items.view.rows
        if not rows.taken[slot]:
            return None
        keys = self.engine.items.view.top.keys[slot]
        popular = {}
        for which, half_life_s in enumerate(self._model.half_lives_s):
            value = 2.0 ** (float(keys[which]) - self.now_s / half_life_s)
            popular[self._sources[which]] = _rounded(value)
        return {
            "taken": _rounded(2.0 ** float(keys[len(self._model.half_lives_s)])),
            "first_s": float(rows.first_s[slot]),
            "last_s": float(rows.last_s[slot]),
            "popular": popular,
        }

    def taken(self, item: str) -> int:
        """Return how many events an item has had."""
        slot = self.engine.items.ids.find(item)
        if slot is None:
            return 0
        log2_count = self.engine.items.view.top.keys[slot, len(self._model.half_lives_s)]
        return round(math.exp2(log2_count))

    def popular_without(self, items: Collection[str], n: int) -> list[str]:
        """Return the most popular items of all time that are not among those given."""
        texts = self.engine.items.ids.texts
        top = self.engine.items.view.top.items[len(self._model.half_lives_s)]
        names = (texts[slot] for slot in top.tolist() if slot >= 0)
        return list(islice((name for name in names if name and name not in items), n))

    def explained(self, user: str, row: bytes, items: Sequence[str]) -> list[Entry]:
        """Explain what items get of the user with this profile row, as things stand here.

        Returns
        -------
        list of dict
            The highest score first: item, score, reasons, and ``sources`` by name with ``says``
            (how strongly it speaks for the item, on the ranker's scale, None if it says nothing)
            and ``part`` (its part in the score).
        """
        found = explain(self.engine, self.inquiry, user, row, items, self.now_s)
        entries = self.entries(found.listed)
        for name, spoken in found.sources.items():
            for entry, says, part in zip(entries, *(c.tolist() for c in spoken), strict=True):
                heard = round(says, 3) if math.isfinite(says) else None
                entry.setdefault("sources", {})[name] = {"says": heard, "part": round(part, 3)}
        return entries

    def _scored(self, scored: Scored) -> list[Entry]:
        texts = self.engine.items.ids.texts
        pairs = zip(scored.items.tolist(), scored.values.tolist(), strict=True)
        return [{"item": texts[item], "score": _rounded(value)} for item, value in pairs]

    def _changed(self) -> None:
        self._now_s = None
        self._for_everybody.clear()


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
