"""The service without HTTP: what it follows, what it holds, whether it is caught up.

Started in this order: number of partitions from Kafka; an empty copy; then everything there is,
from Kafka.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from confluent_kafka.admin import AdminClient

from stream_rec.config import Settings
from stream_rec.kafka_clients import confluent_config
from stream_rec.model.ids import hash_id
from stream_rec.model.rows import PROFILE, row_key
from stream_rec.serving.cache import At, Cache, profile_row
from stream_rec.serving.catalogue import JUST_NOW, TRENDING_WINDOWS_S, Catalogue
from stream_rec.serving.event_writer import EventWriter
from stream_rec.serving.follower import Followed, Follower
from stream_rec.serving.group_lag import GroupLag
from stream_rec.serving.lists import Lists, Stream
from stream_rec.serving.observer import Observer
from stream_rec.serving.recent_events import read_tails
from stream_rec.serving.ticker import Ticker
from stream_rec.stream.changelog import Position, decode_epoch
from stream_rec.stream.effects import LogRecord, Row
from stream_rec.stream.fence import ValidPrefix
from stream_rec.stream.startup import check_topics
from stream_rec.stream.stores import is_engine_key

LISTS_AT_ONCE_MAX = 500
ROWS_AT_ONCE_MAX = 500
LISTS_HOLD_S, ROWS_HOLD_S, EVENTS_HOLD_S = 0.004, 0.02, 0.05
"""A list that waits for its fetch is late for its user; rows and events are not missed as soon."""

logger = logging.getLogger(__name__)


class Service:
    """Lists, profiles and the item view, kept up; and a way to write events.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    failure : BaseException or None
        Why it cannot go on.
    n_streams : int
        Streams that are open, of lists and of the live page.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.failure: BaseException | None = None
        self.is_stopping = False
        self.n_streams = 0
        self._on_failure: Callable[[], None] = lambda: None
        self._resources = contextlib.ExitStack()
        self._prefixes: dict[At, ValidPrefix] = {}
        self._progressed = asyncio.Event()

    async def start(self) -> None:
        """Start to follow.

        Raises
        ------
        TopicError
            Kafka does not answer, or a topic is missing.
        StateError
            The cache is in use by another process.
        """
        topics = self.settings.topics
        await check_topics(self.settings)
        counts = await asyncio.to_thread(_count_partitions, self.settings)
        self.n_partitions = counts[topics.events]
        self.cache = Cache(self._folder(), self.settings.worker)
        self._resources.callback(self.cache.close)
        self.lists = Lists(self.cache)
        self.catalogue = Catalogue(self.settings, self.n_partitions)
        followed = [
            (topic, partition)
            for topic in (topics.recommendations, topics.items_changelog, topics.profiles_changelog)
            for partition in range(counts[topic])
        ]
        lists = {at: 0 for at in followed if at[0] == topics.recommendations}
        rows = {at: 0 for at in followed if at not in lists}
        self._prefixes = {at: ValidPrefix(Position()) for at in rows}
        kafka = self.settings.kafka
        self.list_follower = Follower(
            kafka, lists, self.lists.take, self.fail, LISTS_AT_ONCE_MAX, LISTS_HOLD_S
        )
        self.row_follower = Follower(
            kafka, rows, self._take_rows, self.fail, ROWS_AT_ONCE_MAX, ROWS_HOLD_S
        )
        recent_s = TRENDING_WINDOWS_S[JUST_NOW]
        tails = await asyncio.to_thread(read_tails, self.settings, self.n_partitions, recent_s)
        new_from = {partition: tail.end for partition, tail in enumerate(tails)}
        self.observer = Observer(self.settings, self.catalogue, new_from)
        self.lists.on_list = self.observer.take_list
        seen = {(topics.events, partition): tail.first for partition, tail in enumerate(tails)}
        seen |= {(topics.dlq, partition): -1 for partition in range(counts[topics.dlq])}
        self.event_follower = Follower(
            kafka, seen, self.observer.take_events, self.fail, LISTS_AT_ONCE_MAX, EVENTS_HOLD_S
        )
        self.group_lag = GroupLag(self.settings, self.n_partitions)
        self.ticker = Ticker(self.observer, lambda: self.group_lag.lag)
        self.writer = EventWriter(self.settings)
        self.list_follower.on_progress = self._progressed.set
        self.row_follower.on_progress = self._progressed.set
        self.list_follower.start()
        self.row_follower.start()
        self.event_follower.start()
        self.group_lag.start()
        self.ticker.start()
        self.writer.start()

    async def stop(self) -> None:
        """Stop following, and wait for events under way."""
        self.end_streams()
        await self.ticker.stop()
        await self.group_lag.stop()
        await self.list_follower.stop()
        await self.row_follower.stop()
        await self.event_follower.stop()
        await self.writer.stop(self.settings.serve.shutdown_timeout_s)
        self._resources.close()

    def end_streams(self) -> None:
        """End all streams: they would hold up the end."""
        self.is_stopping = True
        self.lists.end_streams()

    def fail(self, error: BaseException) -> None:
        """Stop this process with an error."""
        self.failure = self.failure or error
        logger.error("this process stops: %s", error, exc_info=error)
        self.end_streams()
        self._progressed.set()
        self._on_failure()

    def on_failure(self, act: Callable[[], None]) -> None:
        """Say what is to be done when it cannot go on."""
        self._on_failure = act

    @property
    def silence_s(self) -> float:
        """Seconds since Kafka last answered."""
        answered_s = max(self.list_follower.answered_s, self.row_follower.answered_s)
        return time.monotonic() - answered_s

    @property
    def is_stale(self) -> bool:
        """Whether lists may be older than they should be."""
        return self.silence_s > self.settings.serve.stale_after_s

    @property
    def lag(self) -> int:
        """Records of lists and rows that are still to come, as far as known."""
        return self.list_follower.lag + self.row_follower.lag

    @property
    def is_ready(self) -> bool:
        """Whether it is caught up."""
        know_ends = self.list_follower.has_ends and self.row_follower.has_ends
        is_near = self.lag <= self.settings.serve.ready_lag_max
        return know_ends and is_near and not self.is_stale and self.failure is None

    async def wait_until_ready(self) -> None:
        """Wait until it is caught up, or has failed."""
        while not self.is_ready and self.failure is None:
            self._progressed.clear()
            await self._progressed.wait()

    def profile_row(self, user: str) -> bytes | None:
        """Return a user's profile row, as of the worker's last commit."""
        return self.cache.profile_row(row_key(PROFILE, hash_id(user)))

    async def next_of(self, stream: Stream, timeout_s: float) -> bytes | None:
        """Return the next message of a stream, an empty one after the time limit."""
        try:
            async with asyncio.timeout(timeout_s):
                return await stream.get()
        except TimeoutError:
            return b""

    async def _take_rows(self, records: Sequence[Followed]) -> None:
        """Take valid rows of the changelogs: profiles to the copy, those of items to the view."""
        rows: list[Row] = []
        staged: dict[int, list[Row]] = defaultdict(list)
        of_partition = sorted(records, key=lambda record: (record.topic, record.partition))
        for at, group in groupby(of_partition, lambda record: (record.topic, record.partition)):
            logged = [LogRecord(r.offset, r.key, r.value, decode_epoch(r.headers)) for r in group]
            accepted = self._prefixes[at].accept(logged)
            valid = [(key, value) for key, value in accepted.items() if is_engine_key(key)]
            if at[0] == self.settings.topics.items_changelog:
                staged[at[1]] += valid
            else:
                rows += [profile_row(key, value) for key, value in valid]
        self.cache.write(rows)
        if staged:
            await self.catalogue.apply(staged)

    def _folder(self) -> Path:
        """Return where the cache is; the embedded broker's lists do not outlive it."""
        if self.settings.kafka.embedded:
            folder = tempfile.TemporaryDirectory(prefix="stream-rec-serve-")
            self._resources.callback(folder.cleanup)
            return Path(folder.name)
        return self.settings.serve.state_dir / self.settings.app_id / "serve"


def _count_partitions(settings: Settings) -> dict[str, int]:
    client = AdminClient(confluent_config(settings.kafka))
    found = client.list_topics(timeout=settings.kafka.request_timeout_s).topics
    return {name: len(found[name].partitions) for name in settings.topics.names}
