"""The commit cycle and recovery, driven without Kafka and killed at every step."""

from __future__ import annotations

import json

import pytest

from stream_rec.errors import DeliveryError, StateError
from stream_rec.model.runs import Run
from stream_rec.stream.changelog import (
    ITEMS,
    POSITION_KEY,
    PROFILES,
    RESERVED_PREFIX,
    TABLES,
    WATERMARK_KEY,
    Position,
    Watermark,
    make_epoch,
)
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.fence import FencedError, ValidPrefix
from tests.stream.fake_engine import FakeEngine
from tests.stream.small_worker import SmallWorker
from tests.stream.topics import Event
from tests.stream.world import Crash, World, WorldEffects


def make_events(n_events: int) -> list[Event]:
    return [
        Event(n, None, json.dumps({"user": f"u{n % 2}", "item": f"i{n % 3}"}).encode())
        for n in range(n_events)
    ]


EVENTS = make_events(6)


def fold(events: list[Event]) -> dict[str, dict[bytes, bytes]]:
    engine = FakeEngine(1, lambda partition, keys: [None] * len(keys))
    engine.open_partition(0)
    engine.process([Run(0, events)], 0)
    frozen = engine.freeze(0)
    return {ITEMS: dict(frozen.items), PROFILES: dict(frozen.profiles)}


def restore(world: World) -> dict[str, dict[bytes, bytes]]:
    """Read the changelogs as a worker with an empty disk would."""
    rows = {}
    for table in TABLES:
        accepted = ValidPrefix(Position()).accept(world.logs.get((table, 0), []))
        rows[table] = {k: v for k, v in accepted.items() if not k.startswith(RESERVED_PREFIX)}
    return rows


def on_disk(world: World, disk: str = "disk") -> dict[str, dict[bytes, bytes]]:
    return {
        table: {
            key: row
            for key, row in world.disk(disk, (table, 0)).items()
            if not key.startswith(RESERVED_PREFIX)
        }
        for table in TABLES
    }


async def run_worker(world: World, events: list[Event] = EVENTS, **options: object) -> SmallWorker:
    worker = SmallWorker(WorldEffects(world, **options))
    await worker.start()
    await worker.run(events)
    return worker


async def test_uninterrupted_run_equals_fold() -> None:
    world = World()
    await run_worker(world)
    assert restore(world) == on_disk(world) == fold(EVENTS)
    assert world.committed == {0: len(EVENTS)}


async def test_commit_follows_the_documented_order() -> None:
    world = World()
    worker = SmallWorker(WorldEffects(world))
    await worker.start()
    world.trace.clear()
    worker.process(EVENTS[:1])
    await worker.commit()
    assert world.trace == [
        ("produce", ITEMS, "b'i:i0'"),
        ("acked",),
        ("produce", PROFILES, "b'u:u0'"),
        ("acked",),
        ("produce", PROFILES, str(WATERMARK_KEY)),
        ("acked",),
        ("write", ITEMS, "0"),
        ("write", PROFILES, "0"),
        ("commit",),
    ]


async def count_effects() -> int:
    return (await run_worker(World())).effects.n_effects


@pytest.mark.parametrize("crash_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("disk", ["kept", "lost", "old"])
@pytest.mark.parametrize("compacts", [False, True], ids=["", "compacted"])
async def test_fold_survives_a_crash_at_every_effect(
    crash_after: bool, disk: str, compacts: bool
) -> None:
    for crash_at in range(await count_effects()):
        world = World()
        if disk == "old":
            await run_worker(world, EVENTS[:2])
            world.disks["old"] = {w: dict(rows) for w, rows in world.disks["disk"].items()}
        crashed = await is_crashed(world, crash_at, crash_after)
        assert crashed or disk == "old"  # which has less left to do
        if compacts:
            world.compact()
        world.generation += 1
        assert world.committed.get(0, 0) <= durable_offset(world) + 1
        await run_worker(world, disk={"kept": "disk"}.get(disk, disk))
        assert restore(world) == fold(EVENTS), f"crash {crash_at}"
        assert on_disk(world, {"kept": "disk"}.get(disk, disk)) == fold(EVENTS)
        assert world.committed == {0: len(EVENTS)}


async def is_crashed(world: World, crash_at: int, crash_after: bool) -> bool:
    try:
        await run_worker(world, crash_at=crash_at, crash_after=crash_after)
    except Crash:
        return True
    return False


def durable_offset(world: World) -> int:
    rows = ValidPrefix(Position()).accept(world.logs.get((PROFILES, 0), []))
    watermark = rows.get(WATERMARK_KEY)
    return -1 if watermark is None else Watermark.decode(watermark).offset


async def test_fold_survives_two_crashes_at_every_pair_of_effects() -> None:
    n_effects = await count_effects()
    for first in range(n_effects):
        for second in range(0, n_effects, 3):
            world = World()
            with pytest.raises(Crash):
                await run_worker(world, crash_at=first)
            world.generation += 1
            try:
                await run_worker(world, disk="other", crash_at=second, crash_after=True)
            except Crash:
                world.generation += 1
                await run_worker(world)
            assert restore(world) == fold(EVENTS), (first, second)


async def test_undelivered_row_stops_the_cycle_before_anything_vouches_for_it() -> None:
    for key in (b"i:i0", b"u:u0", WATERMARK_KEY):
        world = World()
        worker = SmallWorker(WorldEffects(world))
        await worker.start()
        worker.effects.fails_to_deliver = key
        worker.process(EVENTS[:1])
        with pytest.raises(DeliveryError):
            await worker.commit()
        assert on_disk(world) == {ITEMS: {}, PROFILES: {}}
        assert durable_offset(world) == -1
        assert world.committed == {0: 0}


async def test_nothing_is_committed_past_a_cycle_that_did_not_end() -> None:
    world = World()
    worker = SmallWorker(WorldEffects(world))
    await worker.start()
    worker.effects.fails_to_deliver = b"i:i0"
    worker.process(EVENTS[:1])
    with pytest.raises(DeliveryError):
        await worker.commit()
    worker.effects.fails_to_deliver = None
    worker.process(EVENTS[1:2])
    with pytest.raises(StateError, match="did not"):
        await worker.commit()
    assert durable_offset(world) == -1
    assert world.committed == {0: 0}


class GivingUpEffects(WorldEffects):
    """Gives the partition up where another crashes."""

    cycle: CommitCycle

    def crash_if_told(self, after: bool) -> None:
        try:
            super().crash_if_told(after)
        except Crash:
            self.cycle.release(0)


async def test_commit_whose_partition_is_given_up_meanwhile_stops_cleanly() -> None:
    """Wherever it pauses: giving up does not wait for ever for a commit that hangs."""
    started = SmallWorker(WorldEffects(World()))
    await started.start()
    n_before = started.effects.n_effects
    started.process(EVENTS[:2])
    await started.commit()
    n_until_committed = started.effects.n_effects - 1
    assert started.effects.world.trace[-1] == ("commit",)
    for paused_at in range(n_before, n_until_committed):
        effects = GivingUpEffects(World(), crash_at=paused_at)
        worker = SmallWorker(effects)
        effects.cycle = worker.cycle
        await worker.start()
        worker.process(EVENTS[:2])
        with pytest.raises(StateError, match="given up meanwhile"):
            await worker.commit()


async def test_watermark_advances_past_events_that_changed_no_row() -> None:
    world = World()
    worker = SmallWorker(WorldEffects(world))
    await worker.start()
    worker.process([Event(0, None, b"not json")])
    await worker.commit()
    assert durable_offset(world) == 0
    assert world.committed == {0: 1}


async def test_nothing_is_written_when_nothing_happened() -> None:
    world = World()
    worker = await run_worker(world)
    world.trace.clear()
    await worker.commit()
    assert world.trace == []


async def test_group_that_counts_anew_begins_the_next_era() -> None:
    world = World(generation=7)
    await run_worker(world, EVENTS[:3])
    world.generation = 1
    await run_worker(world, disk="new")
    assert restore(world) == fold(EVENTS)
    assert max(record.epoch for record in world.logs[ITEMS, 0]) == make_epoch(1, 1)


async def test_smaller_generation_that_the_group_refuses_is_fenced() -> None:
    world = World(generation=7)
    await run_worker(world)
    with pytest.raises(FencedError, match="the group has moved on"):
        await SmallWorker(WorldEffects(world, disk="zombie", generation=6)).start()


async def test_events_deleted_by_retention_are_skipped_with_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    await run_worker(world, EVENTS[:2])
    world.source_ranges[0] = (4, 6)
    worker = SmallWorker(WorldEffects(world))
    await worker.start()
    assert worker.next_offset == 4
    assert "2 events were deleted by retention" in caplog.text


async def test_position_on_disk_is_where_the_changelog_was_read_to() -> None:
    world = World()
    await run_worker(world)
    for table in TABLES:
        position = Position.decode(world.disk("disk", (table, 0))[POSITION_KEY])
        assert position.offset == world.log_ends[table, 0] - 1
