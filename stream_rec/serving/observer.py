"""What the live page shows of the stream: rates, latency, hit rate, drift, dead letters.

    hit rate = events whose item was among the user's last 10 listed / events scored

Scored is an event of a user of whom a list from before it has been seen, with an item that the user
has not had since the start of this process: an item had before that is scored, and missed, because
lists leave it out. Plain popularity of all time is scored on the same events, as it was in the
second in which the list came, so that both knew the same; where the list is from before the start,
as it is now. At most SCORED_PER_S_MAX events a second are scored; the figures are those of the last
HIT_WINDOW scored.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from river import drift

from stream_rec.config import Settings
from stream_rec.errors import InvalidEventError
from stream_rec.model.events import FORGET, Event, EventDecoder
from stream_rec.serving.catalogue import Catalogue
from stream_rec.serving.follower import Followed
from stream_rec.serving.lists import Source

HISTORY_S = 900
USERS_MAX = 50_000
PENDING_MAX = 50_000
LATENCIES_MAX = 4_000
SCORED_PER_S_MAX = 500
LIST_LENGTH = 10
POPULAR_KEPT = 200
"""The most popular items; somebody who had nearly all of them gets a shorter popular list."""
HIT_WINDOW = 5_000
LISTS_WINDOW = 5_000
CODE_HEADER = "dlq-code"


class _Listed(msgspec.Struct, gc=False):
    item: str


class _List(msgspec.Struct, gc=False):
    items: list[_Listed]
    source: Source


class _Shown(NamedTuple):
    """A list as it was served, and the popular items of the moment."""

    source: Source
    items: list[str]
    popular: list[str]


class _Known(msgspec.Struct):
    """What was seen of a user: the last two lists, and the items had."""

    lists: deque[_Shown]
    had: set[str]


_DECODE_LIST = msgspec.json.Decoder(_List).decode


class Observer:
    """Watches events, lists and dead letters go by.

    Parameters
    ----------
    settings : Settings
    catalogue : Catalogue
        For plain popularity; its trend is told of every event.
    new_from : Mapping[int, int]
        First offset of each partition of the events topic that was not there at the start: what is
        before it only tells what is trending.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, new_from: Mapping[int, int]
    ) -> None:
        self._catalogue = catalogue
        self._events_topic = settings.topics.events
        self._weights = {name: kind.weight for name, kind in settings.events.types.items()}
        self._decoder = EventDecoder(settings.events)
        self._new_from = new_from
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._event_ms: OrderedDict[tuple[int, int], float] = OrderedDict()
        self._list_ms: OrderedDict[tuple[int, int], float] = OrderedDict()
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES_MAX)
        self._hits: deque[tuple[bool, bool]] = deque(maxlen=HIT_WINDOW)
        self._last_list_with: dict[str, int] = {}
        self._n_lists_counted = 0
        self._drift: Any = drift.ADWIN()
        self._scored_in = (0, 0)
        self._popular: list[str] = []
        self._started_ms = time.time() * 1000
        self.dead: Counter[str] = Counter()
        self.drifts_s: deque[float] = deque(maxlen=50)
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY_S)
        self.n_events = 0
        self.n_lists = 0
        self.n_drifts = 0

    @property
    def n_scored(self) -> int:
        """Number of events that the hit rates are of."""
        return len(self._hits)

    @property
    def hit_rate(self) -> float | None:
        """Hit rate of the lists over the last scored events; None while there are none."""
        return round(sum(hit for hit, _ in self._hits) / self.n_scored, 4) if self._hits else None

    @property
    def popular_hit_rate(self) -> float | None:
        """That of plain popularity."""
        return round(sum(hit for _, hit in self._hits) / self.n_scored, 4) if self._hits else None

    @property
    def n_listed_items(self) -> int:
        """Number of items in any of the last `LISTS_WINDOW` lists."""
        first = self._n_lists_counted - LISTS_WINDOW
        last = {item: number for item, number in self._last_list_with.items() if number >= first}
        self._last_list_with = last
        return len(last)

    async def take_events(self, records: Sequence[Followed]) -> None:
        """Take events and dead letters."""
        for record in records:
            if record.topic != self._events_topic:
                self.dead[_code_of(record)] += 1
                continue
            event = self._event(record)
            if event is not None:
                self._note_trend(event)
            if record.offset < self._new_from[record.partition]:
                continue
            self.n_events += 1
            place = (record.partition, record.offset)
            self._note_event(place, record.timestamp_ms)
            if event is not None:
                self._score(event.user, event.item, Source(*place))

    def take_list(self, record: Followed) -> None:
        """Take a refreshed list; those from before the start are not counted."""
        self.n_lists += record.timestamp_ms >= self._started_ms
        if record.value is None:
            self._known.pop(record.key.decode(errors="replace"), None)
            return
        listed = _DECODE_LIST(record.value)
        place = (listed.source.partition, listed.source.offset)
        self._note_list(place, time.time() * 1000)
        items = [entry.item for entry in listed.items[:LIST_LENGTH]]
        known = self._user(record.key.decode(errors="replace"))
        known.lists.append(_Shown(listed.source, items, self._popular))
        self._last_list_with.update(dict.fromkeys(items, self._n_lists_counted))
        self._n_lists_counted += 1

    def note_second(self, lag: int | None) -> dict[str, Any]:
        """Add one point to the history and return it; called once a second with the group's lag."""
        self._popular = self._catalogue.popular_without(frozenset(), POPULAR_KEPT)
        ordered = sorted(self._latencies_ms)
        last = self.history[-1] if self.history else None
        point = {
            "at_s": round(time.time(), 1),
            "log_s": self._catalogue.now_s,
            "events": self.n_events,
            "lists": self.n_lists,
            "events_per_s": self.n_events - (last["events"] if last else self.n_events),
            "lists_per_s": self.n_lists - (last["lists"] if last else self.n_lists),
            "p50_ms": round(ordered[len(ordered) // 2], 2) if ordered else None,
            "p99_ms": round(ordered[len(ordered) * 99 // 100], 2) if ordered else None,
            "lag": lag,
            "hit_rate": self.hit_rate,
            "popular_hit_rate": self.popular_hit_rate,
            "scored": self.n_scored,
            "dead": dict(self.dead),
            "drifts": list(self.drifts_s),
        }
        self._latencies_ms.clear()
        self.history.append(point)
        return point

    def latest_users(self, n: int) -> list[str]:
        """Return users who were seen last, the latest first."""
        return list(islice(reversed(self._known), n))

    def _note_trend(self, event: Event) -> None:
        """Count an event; a client's clock that is ahead must not move the present on."""
        assert event.ts is not None
        time_s = min(event.ts, time.time())
        self._catalogue.trend.add(event.item, time_s, self._weights[event.type])

    def _event(self, record: Followed) -> Event | None:
        """Return the event that the engine takes from a record, None for a request to forget."""
        try:
            event = self._decoder.from_record(record.value, record.key, record.timestamp_ms)
        except InvalidEventError:
            return None
        return None if event is None or event.type == FORGET else event

    def _note_event(self, place: tuple[int, int], at_ms: float) -> None:
        """Note when an event was written, or the latency if its list is here already."""
        list_ms = self._list_ms.pop(place, None)
        if list_ms is None:
            _remember(self._event_ms, place, at_ms)
        else:
            self._latencies_ms.append(max(0.0, list_ms - at_ms))

    def _note_list(self, place: tuple[int, int], at_ms: float) -> None:
        """Note when a list came, or the latency if its event is known."""
        event_ms = self._event_ms.pop(place, None)
        if event_ms is None:
            _remember(self._list_ms, place, at_ms)
        else:
            self._latencies_ms.append(max(0.0, at_ms - event_ms))

    def _score(self, user: str, item: str, source: Source) -> None:
        known = self._user(user)
        shown = _last_before(known.lists, source)
        is_new = item not in known.had
        known.had.add(item)
        second = int(time.monotonic())
        n_scored = self._scored_in[1] if self._scored_in[0] == second else 0
        if shown is None or not is_new or n_scored >= SCORED_PER_S_MAX:
            return
        self._scored_in = (second, n_scored + 1)
        hit = item in shown.items
        before = known.had - {item}
        popular = (each for each in shown.popular or self._popular if each not in before)
        self._hits.append((hit, item in islice(popular, LIST_LENGTH)))
        self._drift.update(float(hit))
        if self._drift.drift_detected:
            self.n_drifts += 1
            self.drifts_s.append(round(time.time(), 1))

    def _user(self, user: str) -> _Known:
        known = self._known.get(user)
        if known is not None:
            self._known.move_to_end(user)
            return known
        known = self._known[user] = _Known(deque(maxlen=2), set())
        if len(self._known) > USERS_MAX:
            self._known.popitem(last=False)
        return known


def _last_before(lists: deque[_Shown], source: Source) -> _Shown | None:
    for shown in reversed(lists):
        if shown.source.partition == source.partition and shown.source.offset < source.offset:
            return shown
    return None


def _remember(
    places: OrderedDict[tuple[int, int], float], place: tuple[int, int], at_ms: float
) -> None:
    places[place] = at_ms
    if len(places) > PENDING_MAX:
        places.popitem(last=False)


def _code_of(record: Followed) -> str:
    for name, value in record.headers or ():
        if name == CODE_HEADER and isinstance(value, bytes):
            return value.decode(errors="replace")
    return "unknown"
