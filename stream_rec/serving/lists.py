"""The last list of every user, as the recommendations topic has it, and who waits for the next."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

import msgspec

from stream_rec.serving.cache import Cache, list_row
from stream_rec.serving.follower import Followed

STREAM_QUEUE_MAX = 8

logger = logging.getLogger(__name__)


class Source(msgspec.Struct, frozen=True):
    """The event that a list answers."""

    partition: int
    offset: int


class StoredList(msgspec.Struct, frozen=True):
    """A message of the recommendations topic with its entries left as they are."""

    user: str
    items: list[msgspec.Raw]
    generated_at: int
    model_version: str
    source: Source


_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _CheckedSource(msgspec.Struct):
    partition: _Whole
    offset: _Whole


class _CheckedEntry(msgspec.Struct):
    item: str


class _CheckedList(msgspec.Struct):
    """All that is read of a list anywhere in the service."""

    user: str
    items: list[_CheckedEntry]
    generated_at: _Whole
    model_version: str
    source: _CheckedSource


class _OnlySource(msgspec.Struct):
    source: Source


class _Waiting(NamedTuple):
    source: Source
    arrived: asyncio.Future[None]


_DECODE_LIST = msgspec.json.Decoder(StoredList).decode
_DECODE_SOURCE = msgspec.json.Decoder(_OnlySource).decode
_CHECK_LIST = msgspec.json.Decoder(_CheckedList).decode
_NO_LIST = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Stream = asyncio.Queue[bytes | None]
"""Messages for one listener; None ends it."""


class Lists:
    """Lists by user.

    Parameters
    ----------
    cache : Cache
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._waiting: dict[bytes, list[_Waiting]] = defaultdict(list)
        self._streams: dict[bytes, set[Stream]] = defaultdict(set)
        self.on_list: Callable[[Followed], None] | None = None
        self.n_lists = 0

    async def take(self, records: Sequence[Followed]) -> None:
        """Take lists from Kafka, without repeats and what arrives late."""
        news = self._news(records)
        rows = [list_row(record.key, record.value) for record in news]
        self._cache.write(rows)
        self.n_lists += len(news)
        for record in news:
            if record.value is not None and record.key in self._waiting:
                self._tell_waiting(record.key, record.value)
            if self.on_list is not None:
                self.on_list(record)
            for stream in self._streams.get(record.key, ()):
                _put(stream, record.value or b"")

    def message(self, user: str) -> bytes | None:
        """Return the last message for a user."""
        return self._cache.lists_of([user.encode()])[0]

    def read(self, user: str) -> StoredList | None:
        """Return the last list of a user."""
        message = self.message(user)
        return None if message is None else _DECODE_LIST(message)

    async def wait_for(self, user: str, source: Source, timeout_s: float) -> bool:
        """Wait until a user's list reflects an event; return whether it does."""
        message = self.message(user)
        if message is not None and _reflects(_DECODE_SOURCE(message).source, source):
            return True
        key = user.encode()
        waiting = _Waiting(source, asyncio.get_running_loop().create_future())
        self._waiting[key].append(waiting)
        try:
            async with asyncio.timeout(timeout_s):
                await waiting.arrived
        except TimeoutError:
            return False
        finally:
            self._waiting[key].remove(waiting)
            if not self._waiting[key]:
                del self._waiting[key]
        return True

    def open_stream(self, user: str) -> Stream:
        """Begin to hand the lists of a user to a listener."""
        stream: Stream = asyncio.Queue(STREAM_QUEUE_MAX)
        self._streams[user.encode()].add(stream)
        return stream

    def close_stream(self, user: str, stream: Stream) -> None:
        """End that."""
        streams = self._streams[user.encode()]
        streams.discard(stream)
        if not streams:
            del self._streams[user.encode()]

    def end_streams(self) -> None:
        """Tell every listener that this was all."""
        for streams in self._streams.values():
            for stream in streams:
                _put(stream, None)

    def _news(self, records: Sequence[Followed]) -> list[Followed]:
        """Leave out lists for events that the user's list already answers (docs/messages.md)."""
        keys = list({record.key for record in records})
        last = {
            key: None if message is None else _DECODE_SOURCE(message).source
            for key, message in zip(keys, self._cache.lists_of(keys), strict=True)
        }
        news = []
        for record in records:
            try:
                source = None if record.value is None else _checked_source(record.value)
            except _NO_LIST as error:
                where = record.topic, record.partition, record.offset
                logger.warning(
                    "%s-%d: expected a list at offset %d, came %s; skipped", *where, error
                )
                continue
            before = last[record.key]
            if source is None or before is None or not _reflects(before, source):
                news.append(record)
                last[record.key] = source
        return news

    def _tell_waiting(self, key: bytes, message: bytes) -> None:
        reached = _DECODE_SOURCE(message).source
        for waiting in self._waiting[key]:
            if _reflects(reached, waiting.source) and not waiting.arrived.done():
                waiting.arrived.set_result(None)


def _checked_source(message: bytes) -> Source:
    """Return the source of a list that is whole."""
    source = _CHECK_LIST(message).source
    return Source(source.partition, source.offset)


def _reflects(reached: Source, wanted: Source) -> bool:
    return reached.partition == wanted.partition and reached.offset >= wanted.offset


def _put(stream: Stream, message: bytes | None) -> None:
    """Add a message; a listener that is slow misses the oldest, never the last."""
    if stream.full():
        stream.get_nowait()
    stream.put_nowait(message)
