"""The Faust application of a worker: wiring, and nothing else.

    faust -A stream_rec.stream.app worker -l info

The settings come from the file named by ``STREAM_REC_CONFIG``, if any, and from ``STREAM_REC_…``
variables. ``stream-rec worker`` runs the same application with `create_app`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import faust
from mode import Service

from stream_rec.config import Settings, load_settings
from stream_rec.errors import DeliveryError, StreamRecError
from stream_rec.kafka_clients import PARTITIONER, confluent_producer_config
from stream_rec.stream.agent import define_agent
from stream_rec.stream.assignment import Assignment
from stream_rec.stream.changelog import ITEMS, PROFILES
from stream_rec.stream.changelog_tail import ChangelogTail
from stream_rec.stream.clock_check import ClockCheck
from stream_rec.stream.commit_schedule import CommitSchedule
from stream_rec.stream.crash_points import arm_crash_point
from stream_rec.stream.engine_factory import recommender_factory
from stream_rec.stream.engine_port import Engine, EngineFactory
from stream_rec.stream.faust_options import REBALANCE_TIMEOUT_S, faust_options
from stream_rec.stream.folder_lock import FolderLock
from stream_rec.stream.follower import Follower
from stream_rec.stream.freshness import Freshness
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.identity import check_committed, check_folder, encode_identity, read_identity
from stream_rec.stream.kafka_effects import KafkaEffects
from stream_rec.stream.log_reader import LogReader
from stream_rec.stream.membership import LOOKS_PER_PAUSE, Membership, pause_s_max
from stream_rec.stream.pages import define_pages
from stream_rec.stream.pending_work import PendingWork
from stream_rec.stream.plan import Plan
from stream_rec.stream.processor import Processor
from stream_rec.stream.publisher import Publisher
from stream_rec.stream.rebuild import SilentEffects, make_plan
from stream_rec.stream.startup import check_topics
from stream_rec.stream.stats import Stats
from stream_rec.stream.stores import Stores
from stream_rec.stream.tables import RowTable
from stream_rec.stream.transport import BatchConsumer, BatchTransport
from stream_rec.stream.watchdog import watch_progress

REVOKE_COMMIT_TIMEOUT_S = 0.4 * REBALANCE_TIMEOUT_S
SHUTDOWN_COMMIT_SHARE = 0.6
CONFIG_VARIABLE = "STREAM_REC_CONFIG"

logger = logging.getLogger(__name__)


class StreamApp(faust.App):
    """Faust's application, with the parts that this worker adds.

    Parameters
    ----------
    settings : Settings
        All settings.
    create_engine : EngineFactory
        Called when the number of partitions is known.
    """

    mundane_level = "debug"

    def __init__(self, settings: Settings, create_engine: EngineFactory) -> None:
        self.settings = settings
        self.failure: BaseException | None = None
        self.failed = asyncio.Event()
        self.stats = Stats(time.time)
        self.schedule = CommitSchedule(
            settings.worker.commit_interval_s, settings.worker.commit_events_max
        )
        self._create_engine = create_engine
        self.profiles = FrozenProfiles(self._read_stored_profiles)
        self.publisher: Publisher | None = None
        self.assignment: Assignment | None = None
        self.follower: Follower | None = None
        self.membership = Membership(pause_s_max(settings.kafka), self._is_member)
        self.commit_metadata = ""
        self.folder_lock: FolderLock | None = None
        self._committing = asyncio.Lock()
        super().__init__(settings.app_id, **faust_options(settings))

    async def on_first_start(self) -> None:
        """Check the topics, then build what needs to know their partitions.

        The engine is made in a thread: it may have to compile for a while, and signals are heard
        meanwhile. Only then does this worker join its group and take partitions from others.
        """
        n_partitions = await check_topics(self.settings)
        if not self.settings.kafka.embedded:
            await asyncio.to_thread(self._check_identity)
        plan = await asyncio.to_thread(make_plan, self.settings, n_partitions)
        engine = await asyncio.to_thread(self._create_engine, n_partitions, self.profiles.read)
        self._build(engine, n_partitions, plan)

    async def on_stop(self) -> None:
        """Commit once more, unless this worker has failed; then stop as Faust does."""
        if self.assignment is not None:
            self.consumer.stop_flow()
            self.flow_control.suspend()
            if self.follower is not None:
                self.follower.stop()
            timeout_s = self.settings.worker.shutdown_timeout_s * SHUTDOWN_COMMIT_SHARE
            await self._give_up(timeout_s)
        await super().on_stop()
        if self.assignment is not None:
            self.stores.close_except()
            await self.log_reader.close()
        if self.follower is not None:
            await self.follower.close()
        if self.folder_lock is not None:
            self.folder_lock.release()

    def fail(self, error: BaseException) -> None:
        """Stop this worker with an error: the first one wins."""
        if self.failure is not None:
            return
        self.failure = error
        logger.error(
            "this worker stops: %s",
            error,
            exc_info=None if isinstance(error, StreamRecError) else error,
        )
        self.failed.set()
        if self.in_worker:
            self.add_future(self.crash(error))

    @Service.task
    async def _commit_regularly(self) -> None:
        while not self.should_stop and self.failure is None:
            await self.schedule.wait()
            try:
                if self.assignment is not None:
                    await self.assignment.commit()
            except Exception as error:
                self.fail(error)

    @Service.task
    async def _look_for_pauses(self) -> None:
        while not self.should_stop:
            self.membership.is_sure()
            await asyncio.sleep(self.membership.pause_s_max / LOOKS_PER_PAUSE)

    @Service.task
    async def _watch_progress(self) -> None:
        try:
            timeout_s = self.settings.worker.stall_timeout_s
            await watch_progress(PendingWork(self), timeout_s, time.monotonic)
        except Exception as error:
            self.fail(error)

    @Service.task
    async def _follow_others(self) -> None:
        try:
            if self.follower is not None:
                await self.follower.run()
        except Exception as error:
            self.fail(error)

    def _check_identity(self) -> None:
        identity = read_identity(self.settings)
        check_folder(self._state_folder(), self.settings, identity)
        self.folder_lock = FolderLock(self._state_folder())
        check_committed(self.settings, identity)
        self.commit_metadata = encode_identity(identity)

    def _build(self, engine: Engine, n_partitions: int, plan: Plan) -> None:
        settings = self.settings
        producer_options = confluent_producer_config(settings.kafka, partitioner=PARTITIONER)
        self.publisher = Publisher(producer_options, self.fail)
        self.log_reader = LogReader(settings.kafka)
        self.stores = Stores(self._state_folder(), settings.worker)
        # The embedded broker's time begins when it starts.
        skew_s_max = math.inf if settings.kafka.embedded else settings.kafka.clock_skew_s_max
        self.clock = ClockCheck(skew_s_max)
        effects = (SilentEffects if plan.rebuilds else KafkaEffects)(
            settings.topics,
            self.publisher,
            self.log_reader,
            self.stores,
            self._commit_offsets,
            self.clock,
            self.membership,
        )
        arm_crash_point(effects)
        self.processor = Processor(
            engine, self.profiles, effects, settings.topics, self.stats, self.schedule
        )
        if n_partitions > 1:  # else there is nothing to follow, and the view is the partition
            tail = ChangelogTail(settings.kafka, settings.topics.items_changelog)
            freshness = Freshness(time.time, settings.worker.commit_interval_s)
            self.follower = Follower(engine, tail, self.processor.turn, freshness)
        self.assignment = Assignment(
            engine, self.processor, effects, self.stats, plan, self.follower
        )

    def _state_folder(self) -> Path:
        """Return where the stores are; the embedded broker's state does not outlive its worker."""
        if self.settings.kafka.embedded:
            self._temporary = tempfile.TemporaryDirectory(prefix="stream-rec-")
            return Path(self._temporary.name)
        return self.settings.worker.state_dir / self.settings.app_id

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        await self._give_up(REVOKE_COMMIT_TIMEOUT_S)

    async def _give_up(self, timeout_s: float) -> None:
        assert self.assignment is not None
        try:
            await self.assignment.give_up(timeout_s, commit=self.failure is None)
        except TimeoutError:
            self.fail(
                DeliveryError(
                    f"expected the last commit to take less than {timeout_s:g} s; its events will "
                    "be processed again by the next owner of their partitions"
                )
            )
        except Exception as error:
            self.fail(error)

    async def _commit_offsets(self, offsets: Mapping[int, int]) -> bool:
        async with self._committing:
            return await self.batch_consumer.commit_offsets(offsets)

    async def _is_member(self) -> bool:
        """Ask by committing once more what is durable: only a member's commit is taken."""
        assert self.assignment is not None
        async with self._committing:
            durable = {p: last + 1 for p, last in self.assignment.watermarks().items()}
            return bool(durable) and await self.batch_consumer.commit_offsets(durable)

    def _read_stored_profiles(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return self.stores.read(PROFILES, partition, keys)

    @property
    def batch_consumer(self) -> BatchConsumer:
        """The consumer, as the class that it is."""
        return cast(BatchConsumer, self.consumer)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_producer, self)

    async def _producer_flush(self, logger: Any) -> None:
        if self.failure is None and self.assignment is not None:
            await super()._producer_flush(logger)

    def _create_directories(self) -> None:
        """Create none: the stores make their own folders."""


def create_app(settings: Settings, create_engine: EngineFactory | None = None) -> StreamApp:
    """Build the application of a worker.

    Parameters
    ----------
    settings : Settings
        All settings.
    create_engine : EngineFactory, optional
        Another engine than the recommender's.
    """
    app = StreamApp(settings, create_engine or recommender_factory(settings))
    topics = settings.topics
    for name, changelog, content in (
        (ITEMS, topics.items_changelog, "item statistics of each partition, by item"),
        (PROFILES, topics.profiles_changelog, "profiles of each partition, by user"),
    ):
        app.tables.add(RowTable(app, name, changelog, help=content))
    app.on_partitions_revoked.connect(app._on_revoked)
    define_agent(app)
    define_pages(app)
    return app


def __getattr__(name: str) -> Any:
    """Build ``app`` when Faust's command line asks for it."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    path = os.environ.get(CONFIG_VARIABLE)
    app = create_app(load_settings(Path(path) if path else None))
    globals()["app"] = app
    return app
