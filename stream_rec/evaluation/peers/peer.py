"""The interface of a peer: built for a log, it tests and learns the events batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers.full_ranking import (
    UNKNOWN_ITEM,
    Catalogue,
    Events,
    empty_catalogue,
    events_of,
)

BATCH_EVENTS = 512


class Peer(ABC):
    """A model of the literature to compare with.

    Parameters
    ----------
    log : LogColumns

    Attributes
    ----------
    rank : int32[E]
        Rank of the item of every scored event, UNKNOWN_ITEM elsewhere.
    predicted : float64[E] or None
        For peers that predict ratings: the prediction of each before it was learned, NaN elsewhere.
    """

    def __init__(self, log: LogColumns) -> None:
        self.events: Events = events_of(log)
        self.catalogue: Catalogue = empty_catalogue(len(log.items))
        self.rank: NDArray[np.int32] = np.full(len(log.user), UNKNOWN_ITEM, np.int32)
        self.predicted: NDArray[np.float64] | None = None
        self.n_users = len(log.users)
        self.n_items = len(log.items)

    def score_next_items(self, is_scored: NDArray[np.bool_]) -> None:
        """Test on these events instead, ranking also what the user has had before.

        Parameters
        ----------
        is_scored : bool[E]
        """
        self.events = self.events._replace(is_scored=is_scored, repeats=True)

    def learn_only_first(self, n_learned: int, is_scored: NDArray[np.bool_]) -> None:
        """Learn so many events, then stay as it is; test on these events instead.

        Parameters
        ----------
        n_learned : int
        is_scored : bool[E]
        """
        learns = np.arange(len(self.rank)) < n_learned
        self.events = self.events._replace(
            is_positive=self.events.is_positive & learns,
            is_new=self.events.is_new & learns,
            value=np.where(learns, self.events.value, np.nan),
            is_scored=is_scored,
            n_learned=n_learned,
        )

    def run(self) -> Iterator[int]:
        """Test and learn the log; yields the number of events done after each batch."""
        n_events = len(self.rank)
        for first in range(0, n_events, BATCH_EVENTS):
            end = min(first + BATCH_EVENTS, n_events)
            self.fold(first, end)
            yield end

    @abstractmethod
    def fold(self, first: int, end: int) -> None:
        """Test and learn the events from `first` up to `end`, one after the other."""


Parameters = Mapping[str, float]


class PeerKind(NamedTuple):
    """How to make a peer, and what can be chosen about it.

    Attributes
    ----------
    make : callable
        (log, parameters) → Peer.
    defaults : mapping of str to float
        Its parameters; those of the paper, or good ones on average over several logs.
    choices : mapping of str to tuple of float
        The values worth trying of each parameter.
    needs_ratings : bool
        Whether it can say nothing of a log without ratings.
    needs_package : str
        An optional package that it is made of; empty: none.
    variants : mapping of str to mapping of str to float
        What its name stands for in a list of baselines: one of each, these parameters fixed.
    """

    make: Callable[[LogColumns, Parameters], Peer]
    defaults: Parameters
    choices: Mapping[str, tuple[float, ...]]
    needs_ratings: bool = False
    needs_package: str = ""
    variants: Mapping[str, Parameters] = MappingProxyType({})
