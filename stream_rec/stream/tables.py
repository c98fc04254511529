"""``items`` and ``profiles`` as Faust sees them: tables of raw bytes over the worker's stores.

Faust's command line, web views and router find them as tables like any other. What they show is
what is durable: rows that wait for the next commit are not in them. They are written by the commit
cycle alone (an assignment to a table key raises), and recovered by `PartitionRecovery` below
instead of Faust's recovery, so Faust does not subscribe to their changelogs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, cast

import faust
from aiokafka.errors import IllegalStateError
from faust.stores.base import SerializedStore
from faust.tables.manager import TableManager
from faust.types import TP, AppT
from mode import Service

from stream_rec.stream.changelog import RESERVED_PREFIX
from stream_rec.stream.fence import FencedError

if TYPE_CHECKING:
    from stream_rec.stream.app import StreamApp

logger = logging.getLogger(__name__)


class RowStore(SerializedStore[bytes, bytes]):
    """Read-only Faust store over the open databases of one table."""

    mundane_level = "debug"

    def persisted_offset(self, tp: TP) -> int | None:
        """Return nothing for Faust to go on from: it recovers nothing here."""
        return None

    def reset_state(self) -> None:
        """Do nothing: the worker's stores are reset by deleting their folders."""

    def _get(self, key: bytes) -> bytes | None:
        if key.startswith(RESERVED_PREFIX):
            return None
        for partition in self._partitions():
            row: bytes | None = self.app.stores.read(self.table_name, partition, [key])[0]
            if row is not None:
                return row
        return None

    def _contains(self, key: bytes) -> bool:
        return self._get(key) is not None

    def _iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        for partition in self._partitions():
            yield from self.app.stores.scan(self.table_name, partition)

    def _iterkeys(self) -> Iterator[bytes]:
        return (key for key, _ in self._iteritems())

    def _itervalues(self) -> Iterator[bytes | None]:
        return (value for _, value in self._iteritems())

    def _size(self) -> int:
        return sum(1 for _ in self._iteritems())

    def _set(self, key: bytes, value: bytes | None) -> NoReturn:
        raise TypeError("rows are written by the commit cycle, not through the table")

    def _del(self, key: bytes) -> NoReturn:
        raise TypeError("rows are removed by the commit cycle, not through the table")

    def _clear(self) -> NoReturn:
        raise TypeError("rows are removed by the commit cycle, not through the table")

    app: StreamApp

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the changelog is the backup."""
        raise TypeError("rows are restored from their changelog; there is no backup")

    def restore_backup(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the changelog is the backup."""
        raise TypeError("rows are restored from their changelog; there is no backup")

    def _partitions(self) -> list[int]:
        partitions: list[int] = self.app.stores.partitions(self.table_name)
        return partitions


class RowTable(faust.Table[bytes, bytes]):
    """A table of raw bytes, partitioned as the events topic.

    Parameters
    ----------
    app : AppT
        The application.
    name : str
        Of the table and of its stores.
    changelog_topic : str
        Name of its changelog.
    """

    mundane_level = "debug"

    def __init__(self, app: AppT, name: str, changelog_topic: str, **options: Any) -> None:
        super().__init__(
            app,
            name=name,
            key_type=bytes,
            value_type=bytes,
            changelog_topic=app.topic(
                changelog_topic, key_type=bytes, value_type=bytes, internal=True, acks=False
            ),
            **options,
        )

    def _new_store(self) -> RowStore:
        return RowStore(
            "rows://",
            self.app,
            self,
            table_name=self.name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )

    async def on_start(self) -> None:
        """Start the store; the changelog topic is made by ``stream-rec topics``."""
        await self.add_runtime_dependency(self.data)


class RowTableManager(TableManager):
    """Faust's table manager with `PartitionRecovery` in place of Faust's recovery."""

    mundane_level = "debug"

    app: StreamApp
    _partition_recovery: PartitionRecovery | None = None

    async def on_start(self) -> None:
        """Register the tables and start to wait for assignments."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> PartitionRecovery:  # type: ignore[override]
        """The service that recovers partitions after each rebalance."""
        if self._partition_recovery is None:
            self._partition_recovery = PartitionRecovery(self.app, beacon=self.beacon)
        return self._partition_recovery

    async def _update_channels(self) -> None:
        self._tables_finalized.set()
        for table in self.values():
            await table.maybe_start()
        self._tables_registered.set()

    async def on_stop(self) -> None:
        """Stop the recovery and the tables."""
        if self._partition_recovery is not None:
            await self._partition_recovery.stop()
        for table in self.values():
            await table.stop()


class PartitionRecovery(Service):
    """After a rebalance: takes the assigned partitions, then lets events flow.

    It runs outside Kafka's rebalance callbacks, so heartbeats go on however long it takes.
    """

    mundane_level = "debug"

    def __init__(self, app: StreamApp, **options: Any) -> None:
        self.app = app
        self.completed = asyncio.Event()
        self.in_recovery = False
        self._assigned = asyncio.Event()
        self._generation = 0
        super().__init__(**options)

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Do nothing: the application gives partitions up."""

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],
        newly_assigned: set[TP],
        generation_id: int = 0,
    ) -> None:
        """Note that partitions are waiting to be taken."""
        self._generation = generation_id
        self._assigned.set()

    @Service.task
    async def _take_assigned(self) -> None:
        while not await self.wait_for_stopped(self._assigned.wait()):
            self._assigned.clear()
            self.in_recovery = True
            try:
                await self._take(self._generation)
            except (FencedError, IllegalStateError) as error:
                logger.warning("waiting for the next rebalance: %s", error)
            except Exception as error:
                self.app.fail(error)
            finally:
                self.in_recovery = False

    async def _take(self, generation: int) -> None:
        events = self.app.settings.topics.events
        consumer = self.app.batch_consumer
        assigned = {tp for tp in consumer.assignment() if tp.topic == events}
        partitions = sorted(tp.partition for tp in assigned)
        assert self.app.assignment is not None
        if not await self.app.assignment.take(partitions, generation):
            return
        if self._is_outdated(generation):
            return
        await self.app.on_rebalance_complete.send()
        await consumer.perform_seek()
        consumer.resume_partitions(consumer.assignment())
        self.completed.set()
        self.app.flow_control.resume()
        consumer.resume_flow()
        await self.app._fetcher.maybe_start()
        tables = cast(TableManager, self.app.tables)
        tables.on_actives_ready()
        tables.on_standbys_ready()
        self.app.on_rebalance_end()
        logger.info("ready: partitions %s of %s", partitions or "none", events)

    def _is_outdated(self, generation: int) -> bool:
        return bool(generation != self.app.consumer_generation_id)
