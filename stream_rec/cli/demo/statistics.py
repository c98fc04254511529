"""The demo's numbers: every list joined with the event it answers, in the order of the partition.

Latency is measured from end to end: from the event's Kafka timestamp, which the producer sets as it
hands the event over, to the moment this process has the list, on one machine and one clock; over
every list of the run. Timestamps are whole milliseconds.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass

from stream_rec.cli.demo.hits import HitRates
from stream_rec.cli.demo.messages import Event, ListedItem, RefreshedList

RATE_WINDOW_S = 3.0


@dataclass(frozen=True)
class Moment:
    """One event and its answer: what a user took, and what is recommended now.

    Parameters
    ----------
    user, item : str
        Who took what.
    value : float, optional
        The rating.
    place : int, optional
        Place of the item in the list that the user had been shown, None when not in it.
    ratings : dict of str to float or None
        Everything the user has taken so far, the last at the end.
    items : tuple of ListedItem
        The refreshed list.
    latency_ms : float
        From the event's producer to the list here.
    """

    user: str
    item: str
    value: float | None
    place: int | None
    ratings: dict[str, float | None]
    items: tuple[ListedItem, ...]
    latency_ms: float


class DemoStatistics:
    """Join events with lists and keep the running figures.

    Attributes
    ----------
    n_events, n_lists, n_answered, n_empty_lists, n_repeated_lists : int
        Events read, lists read, lists joined with their event, lists without items although there
        were enough items to recommend, lists of an event that had one before.
    hits : HitRates
        Hit rates of the served lists and of popularity.
    latencies_ms : list of float
        One per joined list.
    first_produced_ms, last_received_ms : float
        When the first event was produced and the last list received, epoch milliseconds.
    """

    def __init__(self, list_length: int = 10) -> None:
        self.n_events = 0
        self.n_lists = 0
        self.n_answered = 0
        self.n_empty_lists = 0
        self.n_repeated_lists = 0
        self.hits = HitRates(list_length)
        self.latencies_ms: list[float] = []
        self.first_produced_ms = math.inf
        self.last_received_ms = -math.inf
        self._events: dict[tuple[int, int], Event] = {}
        self._waiting: dict[int, deque[RefreshedList]] = defaultdict(deque)
        self._answered: dict[int, int] = defaultdict(lambda: -1)
        self._rate_points: deque[tuple[float, int]] = deque()

    @property
    def span_s(self) -> float:
        """Seconds from the first event to the last list."""
        return max(0.0, self.last_received_ms - self.first_produced_ms) / 1000

    def add_event(self, event: Event) -> list[Moment]:
        """Take an event; return the answers that waited for it."""
        self.n_events += 1
        self._events[event.partition, event.offset] = event
        return self._join(event.partition)

    def add_list(self, refreshed: RefreshedList) -> list[Moment]:
        """Take a list; return it as a moment once its event is known."""
        self.n_lists += 1
        self._waiting[refreshed.partition].append(refreshed)
        return self._join(refreshed.partition)

    def latency_ms(self, quantile: float) -> float | None:
        """Return a quantile (0 to 1) of all latencies, None before the first."""
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]

    def lists_per_s(self, now_s: float) -> float:
        """Return the rate of answers over the last seconds; call it every now and then.

        Parameters
        ----------
        now_s : float
            A clock that never goes back.
        """
        points = self._rate_points
        points.append((now_s, self.n_answered))
        while len(points) > 2 and points[1][0] <= now_s - RATE_WINDOW_S:
            points.popleft()
        (first_s, n_first), (last_s, n_last) = points[0], points[-1]
        return (n_last - n_first) / (last_s - first_s) if last_s > first_s else 0.0

    def _join(self, partition: int) -> list[Moment]:
        moments = []
        waiting = self._waiting[partition]
        while waiting:
            refreshed = waiting[0]
            if refreshed.offset <= self._answered[partition]:
                self.n_repeated_lists += 1
            else:
                event = self._events.pop((partition, refreshed.offset), None)
                if event is None:
                    break
                self._answered[partition] = refreshed.offset
                moments.append(self._answer(event, refreshed))
            waiting.popleft()
        return moments

    def _answer(self, event: Event, refreshed: RefreshedList) -> Moment:
        self.n_answered += 1
        latency_ms = max(0.0, refreshed.received_ms - event.produced_ms)
        self.latencies_ms.append(latency_ms)
        self.first_produced_ms = min(self.first_produced_ms, event.produced_ms)
        self.last_received_ms = max(self.last_received_ms, refreshed.received_ms)
        place = self.hits.add(event, refreshed.items)
        ratings = self.hits.users[event.user].ratings
        n_choices = self.hits.n_items - len(ratings)
        self.n_empty_lists += not refreshed.items and n_choices >= self.hits.list_length
        return Moment(
            event.user, event.item, event.value, place, ratings, refreshed.items, latency_ms
        )
