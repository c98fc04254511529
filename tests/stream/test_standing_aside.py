"""A commit of many rows stands aside for events, after turns half as long as they take."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from stream_rec.settings import TopicSettings, WorkerSettings
from stream_rec.stream.changelog import ITEMS, Position, Watermark
from stream_rec.stream.clock_check import ClockCheck
from stream_rec.stream.effects import Row
from stream_rec.stream.kafka_effects import PAUSE_S, ROWS_AT_ONCE, TURN_MAX_S, USED_S, KafkaEffects
from stream_rec.stream.stores import Stores

ROW_S = 1e-5
ROWS: list[Row] = [(b"i:%d" % n, b"") for n in range(8_000)]
ALL_ROWS_S = len(ROWS) * ROW_S


class Clock:
    """Time that passes only while rows are handled, and while others run."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.turn_s = self.longest_turn_s = self.others_s = 0.0

    def handle(self, n_rows: int) -> None:
        self.now_s += n_rows * ROW_S
        self.turn_s += n_rows * ROW_S
        self.longest_turn_s = max(self.longest_turn_s, self.turn_s)

    async def run_others(self, batch_s: float) -> None:
        """Process a batch of events whenever somebody stands aside."""
        while True:
            if self.turn_s:
                self.turn_s = 0.0
                self.now_s += batch_s
                self.others_s += batch_s
            await asyncio.sleep(0)


class Publisher:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def send(self, *_: object) -> None:
        self._clock.handle(1)


class WatchedStores(Stores):
    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder, WorkerSettings())
        self._clock = clock

    def write(self, table: str, partition: int, rows: Any, **options: bool) -> None:
        self._clock.handle(len(rows))
        super().write(table, partition, rows, **options)


def effects_of(clock: Clock, stores: Stores | None = None) -> KafkaEffects:
    unused = cast(Any, None)
    publisher = cast(Any, Publisher(clock))
    return KafkaEffects(
        *(TopicSettings(), publisher, unused, stores, unused, ClockCheck(60.0), unused),
        clock_s=lambda: clock.now_s,
    )


async def produce_all(clock: Clock, batch_s: float) -> None:
    effects = effects_of(clock)
    beside = asyncio.create_task(clock.run_others(batch_s))
    for row in ROWS:
        await effects.produce(ITEMS, 0, row, 1)
    beside.cancel()


@pytest.mark.parametrize("batch_s", [2 * USED_S, 2 * TURN_MAX_S, 5 * TURN_MAX_S])
async def test_producing_has_a_third_of_the_time_unless_batches_are_long(batch_s: float) -> None:
    clock = Clock()
    await produce_all(clock, batch_s)
    assert clock.longest_turn_s <= min(batch_s / 2, TURN_MAX_S) + 2 * ROW_S
    assert clock.others_s == pytest.approx(ALL_ROWS_S * max(2.0, batch_s / TURN_MAX_S), rel=0.1)


async def test_turns_get_longer_where_nobody_uses_the_pauses() -> None:
    clock = Clock()
    await produce_all(clock, batch_s=PAUSE_S)
    assert clock.longest_turn_s == pytest.approx(TURN_MAX_S, rel=0.01)
    assert clock.others_s <= 1.5 * ALL_ROWS_S * PAUSE_S / TURN_MAX_S


async def test_writing_stands_aside(tmp_path: Path) -> None:
    clock = Clock()
    stores = WatchedStores(tmp_path, clock)
    effects = effects_of(clock, stores)
    effects.open_store(ITEMS, 0)
    beside = asyncio.create_task(clock.run_others(2 * USED_S))
    await effects.write_batch(ITEMS, 0, ROWS, Position(len(ROWS), 1), Watermark(0, 1))
    beside.cancel()
    assert clock.longest_turn_s <= USED_S + 2 * ROWS_AT_ONCE * ROW_S
    stores.close_except()
