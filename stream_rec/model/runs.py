"""What goes into the engine and what comes out: runs of records of one partition each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from stream_rec.model.events import Event


class Record(Protocol):
    """What the engine needs of a Kafka record."""

    @property
    def offset(self) -> int:
        """Place in the partition."""

    @property
    def key(self) -> bytes | None:
        """The user's id."""

    @property
    def value(self) -> bytes | None:
        """The event as JSON."""

    @property
    def timestamp(self) -> int:
        """Kafka's, in ms."""


AnyRecord = TypeVar("AnyRecord", bound=Record, covariant=True)


class Run(NamedTuple, Generic[AnyRecord]):
    """Records of one partition, in offset order."""

    partition: int
    records: Sequence[AnyRecord]


class EventRun(NamedTuple):
    """Checked events of one partition, with `ts` set, and their offsets, in offset order."""

    partition: int
    events: Sequence[Event]
    offsets: Sequence[int]


class Published(NamedTuple):
    """A refreshed list, ready for the recommendations topic; None for a forgotten user."""

    offset: int
    key: bytes
    value: bytes | None


class Refused(NamedTuple):
    """A record that cannot be used: place in the run, stable code, reason in words."""

    place: int
    code: str
    reason: str


class RunResult(NamedTuple):
    """What became of a run of records.

    Events of a flood taught nothing, and have lists like all others.
    """

    published: list[Published]
    refused: list[Refused]
    n_duplicates: int
    n_ignored: int
    n_floods: int


class HitRate(NamedTuple):
    """How often the latest lists of a partition's users held what they took next.

    Attributes
    ----------
    mean : float
        Share of the events since it last changed.
    n_changes : int
        How often it has changed since the partition's first event, as ADWIN found.
    """

    mean: float
    n_changes: int
