"""A small world with known tastes: who wants what, what is popular, and how both change.

Every item belongs to one cluster, and every user prefers one cluster at a time:

    P(item | user) = loyalty · Zipf(rank of the item in the user's cluster)
                   + (1 − loyalty) · Zipf(rank in a cluster chosen at random)

Users are active by a Zipf law too. Between blocks of events some users change their cluster
(drift), some items die and new ones take their place, and some blocks are bursts: ten times as
fast, with one item on everybody's mind. A recommender that learns can be told from one that does
not because the right answer is known: `World.prefers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream_rec.errors import ConfigError

BURST_SPEED = 10.0
BURST_SHARE = 0.3
"""Part of a burst's events that go to its one item."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WorldSettings:
    """Shape of the world.

    Parameters
    ----------
    n_users, n_items, n_clusters : int
        Sizes; items are rounded up to a multiple of the clusters.
    loyalty : float
        Part of a user's events that stay in the preferred cluster.
    user_zipf, item_zipf : float
        Exponents of activity and popularity; 0 is uniform.
    drift_rate : float
        Users who change their cluster, per event.
    turnover_rate : float
        Items that die and are replaced, per event.
    burst_rate : float
        Part of the blocks of events that are bursts.
    events_per_s : float
        Events for each second of event time, bursts apart.
    """

    n_users: int = 1000
    n_items: int = 500
    n_clusters: int = 8
    loyalty: float = 0.8
    user_zipf: float = 0.8
    item_zipf: float = 1.0
    drift_rate: float = 0.002
    turnover_rate: float = 0.002
    burst_rate: float = 0.02
    events_per_s: float = 50.0

    def __post_init__(self) -> None:
        if min(self.n_users, self.n_clusters) < 1 or self.n_items < self.n_clusters:
            raise ConfigError(
                "expected at least one user, one cluster and one item for each cluster, got "
                f"{self.n_users} users, {self.n_clusters} clusters and {self.n_items} items"
            )
        if not self.events_per_s > 0:
            raise ConfigError(f"expected more than 0 events a second, got {self.events_per_s}")


class Block(NamedTuple):
    """Some consecutive events, one array element each.

    Parameters
    ----------
    users : int64
        Numbers of users.
    items : int64
        Numbers of items; a new item gets a new number.
    preferred : bool
        Whether the item is of the cluster that the user prefers now.
    gaps_s : float64
        Event time since the event before, seconds.
    """

    users: Integers
    items: Integers
    preferred: npt.NDArray[np.bool_]
    gaps_s: Floats


class World:
    """Users and items with their tastes, at one moment.

    Parameters
    ----------
    settings : WorldSettings
        Shape of the world.
    random : numpy.random.Generator
        The only source of chance.
    """

    def __init__(self, settings: WorldSettings, random: np.random.Generator) -> None:
        self._settings = settings
        self._random = random
        self._n_ranks = -(-settings.n_items // settings.n_clusters)
        n_items = self._n_ranks * settings.n_clusters
        self._cluster_of_user = random.integers(settings.n_clusters, size=settings.n_users)
        self._item_at = random.permutation(n_items).reshape(settings.n_clusters, self._n_ranks)
        self._cluster_of_item = dict(
            zip(self._item_at.ravel().tolist(), np.arange(n_items) // self._n_ranks, strict=True)
        )
        self._user_at = random.permutation(settings.n_users)
        self._activity = _zipf_cumulative(settings.n_users, settings.user_zipf)
        self._popularity = _zipf_cumulative(self._n_ranks, settings.item_zipf)

    @property
    def living_items(self) -> Integers:
        """Numbers of the items that can be chosen now."""
        return self._item_at.ravel()

    def prefers(self, user: int, item: int) -> bool:
        """Return whether an item, dead or alive, is of the cluster that the user prefers now."""
        return bool(self._cluster_of_user[user] == self._cluster_of_item[item])

    def draw(self, n_events: int) -> Block:
        """Draw the next events, after what changed since the last."""
        self._change(n_events)
        random, settings = self._random, self._settings
        users = self._user_at[_draw_ranks(random, self._activity, n_events)]
        own_clusters = self._cluster_of_user[users]
        any_clusters = random.integers(settings.n_clusters, size=n_events)
        is_loyal = random.random(n_events) < settings.loyalty
        clusters = np.where(is_loyal, own_clusters, any_clusters)
        ranks = _draw_ranks(random, self._popularity, n_events)
        gaps_s = random.exponential(1 / settings.events_per_s, n_events)
        if random.random() < settings.burst_rate:
            gaps_s /= BURST_SPEED
            follows = random.random(n_events) < BURST_SHARE
            clusters[follows] = random.integers(settings.n_clusters)
            ranks[follows] = random.integers(self._n_ranks)
        items = self._item_at[clusters, ranks]
        return Block(users, items, clusters == own_clusters, gaps_s)

    def _change(self, n_events: int) -> None:
        random, settings = self._random, self._settings
        n_users = random.poisson(settings.drift_rate * n_events)
        users = random.integers(settings.n_users, size=n_users)
        self._cluster_of_user[users] = random.integers(settings.n_clusters, size=n_users)
        for _ in range(random.poisson(settings.turnover_rate * n_events)):
            cluster = random.integers(settings.n_clusters)
            born = len(self._cluster_of_item)
            self._item_at[cluster, random.integers(self._n_ranks)] = born
            self._cluster_of_item[born] = cluster


def _zipf_cumulative(n_ranks: int, exponent: float) -> Floats:
    weights = np.arange(1, n_ranks + 1, dtype=np.float64) ** -exponent
    cumulative: Floats = np.cumsum(weights / weights.sum())
    cumulative[-1] = 1.0
    return cumulative


def _draw_ranks(random: np.random.Generator, cumulative: Floats, n_events: int) -> Integers:
    return np.searchsorted(cumulative, random.random(n_events), side="right")
