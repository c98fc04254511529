"""What the demo reads from Kafka, typed: an event, and the list that answers it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Event(NamedTuple):
    """An event as it stands in its topic."""

    partition: int
    offset: int
    produced_ms: int
    user: str
    item: str
    value: float | None


class Reason(msgspec.Struct, frozen=True):
    """Why an item is in a list."""

    source: str
    because: str | None = None


class ListedItem(msgspec.Struct, frozen=True):
    """An item of a list with its reasons, the strongest first."""

    item: str
    reasons: tuple[Reason, ...] = ()


class RefreshedList(NamedTuple):
    """A user's list, the event it answers, and when this process had it."""

    partition: int
    offset: int
    received_ms: float
    user: str
    items: tuple[ListedItem, ...]


class _EventMessage(msgspec.Struct):
    user: str
    item: str
    value: float | None = None


class _Source(msgspec.Struct):
    partition: int
    offset: int


class _ListMessage(msgspec.Struct):
    user: str
    items: tuple[ListedItem, ...]
    source: _Source


_EVENT_DECODER = msgspec.json.Decoder(_EventMessage)
_LIST_DECODER = msgspec.json.Decoder(_ListMessage)


def decode_event(value: bytes, partition: int, offset: int, produced_ms: int) -> Event:
    """Decode a record of the events topic.

    Parameters
    ----------
    value : bytes
        The message.
    partition, offset : int
        Where it stands.
    produced_ms : int
        Its Kafka timestamp: when the producer handed it over, epoch milliseconds.
    """
    message = _EVENT_DECODER.decode(value)
    return Event(partition, offset, produced_ms, message.user, message.item, message.value)


def decode_list(value: bytes, received_ms: float) -> RefreshedList:
    """Decode a record of the recommendations topic, received at an epoch time in milliseconds."""
    message = _LIST_DECODER.decode(value)
    source = message.source
    return RefreshedList(source.partition, source.offset, received_ms, message.user, message.items)
