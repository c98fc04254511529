"""What was taken in the last minutes: weights of events by item, in buckets of event time.

    score of an item = Σ weights of its positive events in the buckets of the window

The present is the time of the latest event: recorded logs lie in the past. The bucket in which the
window begins counts whole, so it is up to `BUCKET_S` longer. Weights are held as integers, so that
what leaves is exactly what came. An event costs O(1), amortised.

Memory is bounded: where a bucket comes to hold more than `ITEMS_PER_BUCKET_MAX` items, it keeps the
half with the highest weights, so a flood of rare items cannot push out what is popular.
"""

from __future__ import annotations

import math
from heapq import nsmallest

BUCKET_S = 10.0
ITEMS_PER_BUCKET_MAX = 4_000
ITEMS_LISTED_MAX = 200
UNITS_PER_WEIGHT = 1_000


class Trend:
    """Counts over a sliding window.

    Parameters
    ----------
    window_s : float

    Examples
    --------
    >>> trend = Trend(window_s=900.0)
    >>> trend.add("alien", time_s=5_000.0, weight=1.0)
    >>> trend.add("heat", time_s=5_500.0, weight=2.0)
    >>> trend.items()
    [('heat', 2.0), ('alien', 1.0)]
    >>> trend.add("heat", time_s=6_000.0, weight=-1.0)
    >>> trend.items(), trend.since_s
    ([('heat', 2.0)], 5100.0)
    """

    def __init__(self, window_s: float) -> None:
        self._reach = math.ceil(window_s / BUCKET_S)
        self._oldest = self._newest = -1
        self._earliest_s = math.inf
        self._buckets: dict[int, dict[str, int]] = {}
        self._totals: dict[str, int] = {}
        self._ranked: list[tuple[str, float]] = []
        self._n_changes = 0

    @property
    def since_s(self) -> float:
        """Event time before which nothing is counted: the window's begin, or what came first."""
        return max(self._oldest * BUCKET_S, self._earliest_s)

    def add(self, item: str, time_s: float, weight: float) -> None:
        """Take an event in; one of a negative type only moves the present on."""
        number = int(time_s // BUCKET_S)
        if number > self._newest:
            self._move_to(number)
        if number < self._oldest:
            return
        self._earliest_s = min(self._earliest_s, time_s)
        if weight <= 0:
            return
        units = round(weight * UNITS_PER_WEIGHT) or 1
        bucket = self._buckets.setdefault(number, {})
        bucket[item] = bucket.get(item, 0) + units
        self._totals[item] = self._totals.get(item, 0) + units
        self._n_changes += 1
        if len(bucket) > ITEMS_PER_BUCKET_MAX:
            self._buckets[number] = kept = dict(_strongest(bucket, ITEMS_PER_BUCKET_MAX // 2))
            self._take_out({item: bucket[item] for item in bucket.keys() - kept.keys()})

    def items(self) -> list[tuple[str, float]]:
        """Return items with their scores, the highest first, equal ones by id.

        Ranking costs O(items), so it waits for a hundredth as many events as there are items.
        """
        if self._n_changes > len(self._totals) // 100:
            strongest = _strongest(self._totals, ITEMS_LISTED_MAX)
            self._ranked = [(item, units / UNITS_PER_WEIGHT) for item, units in strongest]
            self._n_changes = 0
        return self._ranked

    def _move_to(self, newest: int) -> None:
        self._newest, self._oldest = newest, newest - self._reach
        for number in [number for number in self._buckets if number < self._oldest]:
            self._take_out(self._buckets.pop(number))

    def _take_out(self, bucket: dict[str, int]) -> None:
        self._n_changes += len(bucket)
        for item, units in bucket.items():
            self._totals[item] -= units
            if not self._totals[item]:
                del self._totals[item]


def _strongest(units: dict[str, int], n: int) -> list[tuple[str, int]]:
    return nsmallest(n, units.items(), key=lambda pair: (-pair[1], pair[0]))
