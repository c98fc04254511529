"""Following other workers' item rows: what the engine holds is what the changelogs say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.stream.changelog import CLAIM_KEY, NO_EPOCH, Position
from stream_rec.stream.changelog_tail import Taken
from stream_rec.stream.effects import LogRecord
from stream_rec.stream.fence import ValidPrefix
from stream_rec.stream.follower import SLICE_ROWS_MAX, Follower
from stream_rec.stream.freshness import Freshness
from tests.stream.fake_engine import FakeEngine, ItemRow

N_PARTITIONS = 3
KEYS = (b"i:a", b"i:b", b"i:c")


class Logs:
    """The items changelogs, and a tail that hands out a few records of each partition."""

    def __init__(self, n_per_take: int = 3) -> None:
        self.records: dict[int, list[LogRecord]] = {p: [] for p in range(N_PARTITIONS)}
        self.epoch = dict.fromkeys(range(N_PARTITIONS), 1)
        self.time_s = 1_000.0
        self.n_per_take = n_per_take
        self._next: dict[int, int] = {}
        self._n_written = 0

    def write(self, partition: int, key: bytes, *, removed: bool = False, stale: bool = False):
        self._n_written += 1
        row = None if removed else ItemRow(self._n_written, self._n_written, 0).encode()
        self._append(partition, key, row, self.epoch[partition] - stale)

    def claim(self, partition: int) -> None:
        self.epoch[partition] += 1
        self._append(partition, CLAIM_KEY, b"", self.epoch[partition])

    def rows(self, partition: int) -> dict[bytes, bytes]:
        """Return the valid rows, read from the beginning by the rule of the owner's recovery."""
        valid = ValidPrefix(Position(-1, NO_EPOCH)).accept(self.records[partition])
        return {key: row for key, row in valid.items() if row is not None}

    def end(self, partition: int) -> Position:
        return Position(len(self.records[partition]) - 1, self.epoch[partition])

    async def assign(self, next_offsets: Mapping[int, int]) -> None:
        self._next = dict(next_offsets)

    async def take(self) -> dict[int, Taken]:
        await asyncio.sleep(0)
        taken = {}
        for partition, start in self._next.items():
            records = self.records[partition][start : start + self.n_per_take]
            self._next[partition] = start + len(records)
            is_end = self._next[partition] == len(self.records[partition])
            taken[partition] = Taken(records, self.time_s, is_end)
        return taken

    async def close(self) -> None:
        pass

    def _append(self, partition: int, key: bytes, row: bytes | None, epoch: int) -> None:
        log = self.records[partition]
        log.append(LogRecord(len(log), key, row, epoch))


class Worker:
    """An engine and its follower, which runs a while whenever it is told to."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        self.engine = FakeEngine(N_PARTITIONS, lambda partition, keys: [None] * len(keys))
        self.freshness = Freshness(lambda: logs.time_s, 5.0)
        self.follower = Follower(self.engine, logs, asyncio.Lock(), self.freshness)

    async def follow(self, partition: int) -> None:
        if partition not in self.engine.items:
            await self.follower.follow(partition)

    async def own(self, partition: int) -> None:
        self.follower.leave(partition)
        self.engine.open_partition(partition, self.logs.rows(partition).items())

    async def give_up(self, partition: int) -> None:
        if partition in self.engine.items:
            self.engine.follow_partition(partition)
            self.follower.follow_on(partition, self.logs.end(partition))

    def rows(self, partition: int) -> dict[bytes, bytes]:
        return {key: row.encode() for key, row in self.engine.followed[partition].items()}


partitions = st.integers(0, N_PARTITIONS - 1)
written = st.tuples(st.just("write"), partitions, st.sampled_from(KEYS), st.booleans())
stale = st.tuples(st.just("stale"), partitions, st.sampled_from(KEYS))
steps = st.one_of(
    written,
    written,
    stale,
    *(st.tuples(st.just(name), partitions) for name in ("claim", "follow", "own", "give_up")),
)


@given(st.lists(steps, max_size=40), st.data())
def test_followed_rows_are_the_valid_rows_of_the_changelogs(actions: list, data) -> None:
    asyncio.run(check_law(actions, data))


async def check_law(actions: list, data) -> None:
    logs = Logs()
    worker = Worker(logs)
    running = asyncio.create_task(worker.follower.run())
    for name, partition, *arguments in actions:
        if name == "write" and partition not in worker.engine.items:
            logs.write(partition, arguments[0], removed=arguments[1])
        elif name == "stale":
            logs.write(partition, arguments[0], stale=True)
        elif name == "claim":
            logs.claim(partition)
        elif name in ("follow", "own", "give_up"):
            await getattr(worker, name)(partition)
        for _ in range(data.draw(st.integers(0, 6))):
            await asyncio.sleep(0)
    await settle(worker)
    worker.follower.stop()
    await running
    for partition in worker.follower.partitions:
        assert worker.rows(partition) == logs.rows(partition)


async def settle(worker: Worker) -> None:
    """Let the follower run until it can have nothing left to do."""
    n_records = sum(map(len, worker.logs.records.values()))
    for _ in range(50 + 20 * n_records):
        await asyncio.sleep(0)


async def test_rows_are_set_in_slices_between_batches() -> None:
    logs = Logs(n_per_take=10 * SLICE_ROWS_MAX)
    worker = Worker(logs)
    for number in range(5 * SLICE_ROWS_MAX):
        logs.write(0, b"i:%d" % number)
    sizes = []
    stage = worker.engine.stage_foreign
    worker.engine.stage_foreign = lambda p, rows: (sizes.append(len(rows)), stage(p, rows))
    await worker.follow(0)
    running = asyncio.create_task(worker.follower.run())
    await settle(worker)
    worker.follower.stop()
    await running
    assert sizes == [SLICE_ROWS_MAX] * 5
    assert worker.rows(0) == logs.rows(0)


async def test_a_batch_that_waits_has_its_turn_after_one_slice() -> None:
    logs = Logs(n_per_take=10 * SLICE_ROWS_MAX)
    worker = Worker(logs)
    for number in range(5 * SLICE_ROWS_MAX):
        logs.write(0, b"i:%d" % number)
    await worker.follow(0)
    order = []
    turn = worker.follower._turn
    worker.engine.stage_foreign = lambda p, rows: order.append("slice")

    async def process() -> None:
        while len(order) < 10:
            async with turn:
                order.append("batch")
            await asyncio.sleep(0)

    running = asyncio.create_task(worker.follower.run())
    await process()
    await settle(worker)
    worker.follower.stop()
    await running
    assert order.count("slice") == 5
    meanwhile = order[order.index("slice") : 10]
    assert ("slice", "slice") not in pairwise(meanwhile)
    assert "batch" in meanwhile


def freshness_of(*, interval_s: float = 5.0) -> tuple[Freshness, list[float]]:
    now_s = [100.0]
    return Freshness(lambda: now_s[0], interval_s), now_s


def test_view_is_as_old_as_its_oldest_partition() -> None:
    freshness, now_s = freshness_of()
    freshness.begin(0, is_complete=True)
    freshness.begin(1, is_complete=True)
    now_s[0] = 103.0
    freshness.advance(0, 103.0, is_end=True)
    assert freshness.staleness_s == pytest.approx(5.0 + 3.0)
    freshness.advance(1, 102.5, is_end=False)
    assert freshness.staleness_s == pytest.approx(5.0 + 0.5)
    freshness.forget(1)
    assert freshness.staleness_s == pytest.approx(5.0)


def test_view_has_no_age_while_it_is_incomplete() -> None:
    freshness, _ = freshness_of()
    assert freshness.staleness_s is None
    freshness.begin(0, is_complete=False)
    freshness.advance(0, 90.0, is_end=False)
    assert freshness.staleness_s is None
    assert freshness.snapshot()["restoring"] == 1
    freshness.advance(0, 100.0, is_end=True)
    assert freshness.staleness_s == pytest.approx(5.0)


def test_old_view_is_warned_of_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    freshness, now_s = freshness_of()
    freshness.begin(0, is_complete=True)
    for _ in range(3):
        now_s[0] += 4.0
        freshness.advance(0, now_s[0], is_end=True)
    assert [record.message for record in caplog.records] == [
        "the item view was 9.0 s old, expected at most 6.0 s: this worker or Kafka is overloaded"
    ]
