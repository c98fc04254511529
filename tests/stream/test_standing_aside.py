"""A commit of many rows stands aside for events: between partitions, and every few hundred rows."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import pytest

from stream_rec.model.partitioned import Frozen
from stream_rec.settings import TopicSettings, WorkerSettings
from stream_rec.stream.changelog import ITEMS, Position, Watermark
from stream_rec.stream.clock_check import ClockCheck
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.effects import Row
from stream_rec.stream.kafka_effects import (
    PAUSE_S,
    ROWS_PER_TURN_MAX,
    ROWS_PER_TURN_MIN,
    KafkaEffects,
)
from stream_rec.stream.recovery import recover
from stream_rec.stream.stores import Stores
from tests.stream.world import World, WorldEffects

N_ROWS = 4 * ROWS_PER_TURN_MAX
ROWS: list[Row] = [(b"i:%d" % n, b"") for n in range(N_ROWS)]


class Watched:
    """Counts how many rows are handled between two moments in which others run."""

    def __init__(self) -> None:
        self.n_rows = self.n_rows_most = 0

    def handle(self, n_rows: int) -> None:
        self.n_rows += n_rows
        self.n_rows_most = max(self.n_rows_most, self.n_rows)

    async def run_beside(self) -> None:
        while True:
            self.n_rows = 0
            await asyncio.sleep(0)


class Publisher(Watched):
    async def send(self, *_: object) -> None:
        self.handle(1)


class WatchedStores(Stores, Watched):
    def __init__(self, folder: Path) -> None:
        Watched.__init__(self)
        Stores.__init__(self, folder, WorkerSettings())

    def write(self, table: str, partition: int, rows: Any, **options: bool) -> None:
        self.handle(len(rows))
        super().write(table, partition, rows, **options)


def effects_of(publisher: Publisher, stores: Stores | None = None) -> KafkaEffects:
    unused = cast(Any, None)
    return KafkaEffects(
        TopicSettings(), cast(Any, publisher), unused, stores, unused, ClockCheck(60.0), unused
    )


async def test_producing_stands_aside() -> None:
    publisher = Publisher()
    effects = effects_of(publisher)
    beside = asyncio.create_task(publisher.run_beside())
    for row in ROWS:
        await effects.produce(ITEMS, 0, row, 1)
    beside.cancel()
    assert publisher.n_rows_most <= ROWS_PER_TURN_MAX


async def test_a_commit_has_half_of_the_time_when_there_is_a_backlog() -> None:
    publisher = Publisher()
    effects = effects_of(publisher)
    n_turns = 0

    async def work_off_a_backlog() -> None:
        nonlocal n_turns
        while True:
            ended_s = time.perf_counter() + 10 * PAUSE_S
            while time.perf_counter() < ended_s:
                pass
            n_turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(work_off_a_backlog())
    for row in ROWS:
        await effects.produce(ITEMS, 0, row, 1)
    beside.cancel()
    assert n_turns < N_ROWS / ROWS_PER_TURN_MIN  # twice that if turns were as long as ever


async def test_writing_stands_aside(tmp_path: Path) -> None:
    stores = WatchedStores(tmp_path)
    effects = effects_of(Publisher(), stores)
    effects.open_store(ITEMS, 0)
    beside = asyncio.create_task(stores.run_beside())
    await asyncio.sleep(0)
    await effects.write_batch(ITEMS, 0, ROWS, Position(N_ROWS, 1), Watermark(0, 1))
    assert stores.n_rows_most <= ROWS_PER_TURN_MAX + 2  # position and watermark
    beside.cancel()
    stores.close_except()


@pytest.mark.parametrize("n_partitions", [2, 5])
async def test_events_are_let_pass_between_two_partitions(n_partitions: int) -> None:
    happened: list[object] = []

    class Effects(WorldEffects):
        async def let_others_run(self) -> None:
            happened.append("aside")

    effects = Effects(World(n_partitions=n_partitions))
    cycle = CommitCycle(effects)
    for partition in range(n_partitions):
        source, positions = await effects.source(), effects.positions(partition)
        [recovered] = await recover(effects, source, [partition], effects.generation, positions)
        cycle.take(recovered.owned)

    async def freeze(partition: int) -> Frozen:
        happened.append(partition)
        return Frozen(partition, 0, [], [])

    happened.clear()
    await cycle.commit(range(n_partitions), freeze)
    for partition in range(n_partitions):
        assert happened[2 * partition : 2 * partition + 2] == [partition, "aside"]
