"""Hit rate of the lists that were served, beside that of plain popularity.

    HR@10 = events whose item was in the user's last published list / events scored

Scored is an event of a user who already has a list, with an item that is new to the user. The list
is the one that answered the user's event before: nothing of the event itself can be in it. Plain
popularity is scored on the same events and served at the same moments: its list is that of the ten
items with the most events of all time, new to the user, when the user's event before was answered.
An item that nobody has had before counts as a miss for both.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stream_rec.cli.demo.messages import Event, ListedItem
from stream_rec.cli.demo.popularity import Popularity


@dataclass
class UserRecord:
    """What is known of a user: items in the order they were taken, and the last lists."""

    ratings: dict[str, float | None] = field(default_factory=dict)
    items: tuple[ListedItem, ...] = ()
    popular: tuple[str, ...] = ()


class HitRates:
    """Count hits of served lists and of popularity, event by event.

    Parameters
    ----------
    list_length : int
        Items that count, of either list.

    Attributes
    ----------
    n_scored, n_hits, n_popularity_hits : int
        Events scored, and those whose item was in the served list or among the popular items.
    users : dict of str to UserRecord
        Every user seen so far.
    """

    def __init__(self, list_length: int = 10) -> None:
        self.n_scored = 0
        self.n_hits = 0
        self.n_popularity_hits = 0
        self.users: dict[str, UserRecord] = {}
        self.list_length = list_length
        self._popularity = Popularity()

    @property
    def n_items(self) -> int:
        """Different items seen so far."""
        return self._popularity.n_items

    @property
    def hit_rate(self) -> float:
        """HR@10 of the served lists; 0 before anything was scored."""
        return self.n_hits / max(self.n_scored, 1)

    @property
    def popularity_hit_rate(self) -> float:
        """HR@10 of plain popularity on the same events."""
        return self.n_popularity_hits / max(self.n_scored, 1)

    def add(self, event: Event, answer: tuple[ListedItem, ...]) -> int | None:
        """Score an event against the user's last list, then make its answer the last list.

        Returns
        -------
        int or None
            Place (from 1) that the item had in the last list, None when it was not there.
        """
        user = self.users.setdefault(event.user, UserRecord())
        place = None
        if user.items and event.item not in user.ratings:
            self.n_scored += 1
            listed = [listed.item for listed in user.items[: self.list_length]]
            if event.item in listed:
                place = listed.index(event.item) + 1
                self.n_hits += 1
            self.n_popularity_hits += event.item in user.popular
        user.ratings.pop(event.item, None)
        user.ratings[event.item] = event.value
        user.items = answer
        self._popularity.add(event.item)
        user.popular = tuple(self._popularity.top(self.list_length, without=user.ratings))
        return place
