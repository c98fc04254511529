"""Plain popularity, which the recommender is compared with: counts of all time, nothing else.

Items are kept in the order of their counts at all times: an item whose count grows changes places
with the first item of its count, which takes one step whatever the number of items.
"""

from __future__ import annotations

from collections.abc import Collection


class Popularity:
    """Items by the number of their events, the most popular first.

    Examples
    --------
    >>> popularity = Popularity()
    >>> for item in ["alien", "heat", "heat", "up"]:
    ...     popularity.add(item)
    >>> popularity.top(2, without={"up"})
    ['heat', 'alien']
    """

    def __init__(self) -> None:
        self._order: list[str] = []
        self._place: dict[str, int] = {}
        self._count: dict[str, int] = {}
        self._first_with_count: dict[int, int] = {}

    @property
    def n_items(self) -> int:
        """Different items so far."""
        return len(self._order)

    def add(self, item: str) -> None:
        """Count one event of an item."""
        if item not in self._place:
            self._place[item] = len(self._order)
            self._order.append(item)
            self._count[item] = 0
            self._first_with_count.setdefault(0, self._place[item])
        count = self._count[item]
        first = self._first_with_count[count]
        self._swap(self._place[item], first)
        self._count[item] = count + 1
        self._first_with_count.setdefault(count + 1, first)
        if first + 1 < len(self._order) and self._count[self._order[first + 1]] == count:
            self._first_with_count[count] = first + 1
        else:
            del self._first_with_count[count]

    def top(self, n: int, without: Collection[str] = ()) -> list[str]:
        """Return the `n` most popular items that are not among `without`."""
        chosen: list[str] = []
        for item in self._order:
            if len(chosen) == n:
                break
            if item not in without:
                chosen.append(item)
        return chosen

    def _swap(self, a: int, b: int) -> None:
        order = self._order
        order[a], order[b] = order[b], order[a]
        self._place[order[a]], self._place[order[b]] = a, b
