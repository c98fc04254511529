"""Synthetic events: users and items drawn independently by Zipf's law, ten events a second.

    P(item of rank r) ∝ 1 / r        P(user of rank r) ∝ 1 / r^0.6

Real logs have structure that helps to recommend; here only the cost counts, and independent draws
are the dear case: every item is soon linked to many others.

The events are a function of their number and the seed, so every process makes the same ones. The
event time tells the number: `number_of_time` gets it back from a published list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ITEM_EXPONENT = 1.0
USER_EXPONENT = 0.6
FIRST_TIME_S = 1_700_000_000
EVENTS_PER_S = 10
"""Of event time: so slow that the busiest of a hundred users is no flood."""


class Population(NamedTuple):
    """Who meets what: number of users, number of items, seed of the draws."""

    n_users: int
    n_items: int
    seed: int = 0


class Encoded(NamedTuple):
    """An event as it goes to Kafka."""

    key: bytes
    value: bytes


class Traffic(NamedTuple):
    """Events in their order.

    Attributes
    ----------
    events : list of Encoded
    pairs : list of (int, int)
        User and item of each, as numbers from 0.
    n_items : int
    at_ms : int
        When they came, at the latest, in epoch milliseconds.
    """

    events: list[Encoded]
    pairs: list[tuple[int, int]]
    n_items: int
    at_ms: int


def synthetic_traffic(population: Population, n_events: int) -> Traffic:
    """Return the first `n_events` events of a population."""
    users, items = (drawn.tolist() for drawn in draw_events(population, n_events))
    pairs = list(zip(users, items, strict=True))
    end_ms = (FIRST_TIME_S + n_events // EVENTS_PER_S + 1) * 1000
    return Traffic(encode_events(population, n_events), pairs, population.n_items, end_ms)


def draw_events(
    population: Population, n_events: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the users and the items of the first `n_events` events, as ranks from 0.

    Parameters
    ----------
    population : Population
    n_events : int

    Returns
    -------
    int64[n_events], int64[n_events]
    """
    users = np.random.default_rng((population.seed, 0))
    items = np.random.default_rng((population.seed, 1))
    return (
        _draw(users, population.n_users, USER_EXPONENT, n_events),
        _draw(items, population.n_items, ITEM_EXPONENT, n_events),
    )


def encode_events(population: Population, n_events: int, first: int = 0) -> list[Encoded]:
    """Return the events from number `first` up to `n_events`, encoded.

    Examples
    --------
    >>> encode_events(Population(n_users=1, n_items=1), 1)[0].value
    b'{"user":"u0","item":"i0","type":"click","ts":1700000000.0}'
    """
    users, items = (drawn[first:].tolist() for drawn in draw_events(population, n_events))
    return [
        Encoded(
            b"u%d" % user,
            b'{"user":"u%d","item":"i%d","type":"click","ts":%d.%d}'
            % (user, item, FIRST_TIME_S + number // EVENTS_PER_S, number % EVENTS_PER_S),
        )
        for number, (user, item) in enumerate(zip(users, items, strict=True), first)
    ]


def number_of_time(time_s: float) -> int:
    """Return the number of the event with this event time.

    Examples
    --------
    >>> number_of_time(1700000001.2)
    12
    """
    return round((time_s - FIRST_TIME_S) * EVENTS_PER_S)


def _draw(
    random: np.random.Generator, n_ranks: int, exponent: float, n_draws: int
) -> NDArray[np.int64]:
    share = np.cumsum(1.0 / np.arange(1, n_ranks + 1) ** exponent)
    ranks: NDArray[np.int64] = np.searchsorted(share, random.random(n_draws) * share[-1])
    return ranks
