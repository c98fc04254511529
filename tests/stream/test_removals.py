"""Rows that are removed stay removed, on disks too that were away while it happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from stream_rec.stream.changelog import PROFILES, TABLES, WATERMARK_KEY
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.effects import Row
from stream_rec.stream.recovery import recover
from tests.stream.world import Crash, World, WorldEffects


class Dirty(NamedTuple):
    partition: int
    offset: int
    profiles: Sequence[Row]
    items: Sequence[tuple[bytes, bytes]] = ()


async def commit_all(world: World, disk: str, *commits: Dirty, crash_at: int | None = None) -> None:
    """Own partition 0 for some commits, as the next generation."""
    world.generation += 1
    effects = WorldEffects(world, disk, crash_at=crash_at)
    source, positions = await effects.source(), effects.positions(0)
    [recovered] = await recover(effects, source, [0], world.generation, positions)
    cycle = CommitCycle(effects)
    cycle.take(recovered.owned)
    for dirty in commits:

        async def freeze(_: int, dirty: Dirty = dirty) -> Dirty:
            return dirty

        await cycle.commit([0], freeze)


def forget_tombstones(world: World) -> None:
    """Compact, and drop the tombstones too, as Kafka does after ``delete.retention.ms``."""
    world.compact()
    for where, records in world.logs.items():
        world.logs[where] = [record for record in records if record.value is not None]


def profiles_on(world: World, disk: str) -> dict[bytes, bytes]:
    rows = world.disk(disk, (PROFILES, 0))
    return {key: row for key, row in rows.items() if not key.startswith(b"\0")}


WRITTEN = Dirty(0, 4, [(b"u1", b"row"), (b"u2", b"row")])
REMOVED = Dirty(0, 9, [(b"u1", None)])
LATER = Dirty(0, 12, [(b"u3", b"row")])


@pytest.mark.parametrize("later", [(), (LATER,)])
async def test_disk_that_was_away_forgets_what_was_removed(later: tuple[Dirty, ...]) -> None:
    world = World()
    await commit_all(world, "old", WRITTEN)
    await commit_all(world, "other", REMOVED, *later)
    forget_tombstones(world)
    await commit_all(world, "old")
    assert profiles_on(world, "old") == profiles_on(world, "other")
    assert b"u1" not in profiles_on(world, "old")


async def test_disk_that_was_away_forgets_however_often_its_restoring_is_cut_short() -> None:
    world = World()
    await commit_all(world, "old", WRITTEN)
    await commit_all(world, "other", REMOVED, LATER)
    forget_tombstones(world)
    for crash_at in range(6):
        with pytest.raises(Crash):
            await commit_all(world, "old", crash_at=crash_at)
    await commit_all(world, "old")
    assert profiles_on(world, "old") == profiles_on(world, "other")


async def test_disk_that_saw_the_removal_is_not_restored_anew() -> None:
    world = World()
    await commit_all(world, "disk", WRITTEN, REMOVED)
    disk = world.disk("disk", (PROFILES, 0))
    disk[b"kept"] = b"a row that no changelog has"
    await commit_all(world, "disk", LATER)
    assert disk[b"kept"]


async def test_removed_row_survives_only_where_a_newer_one_was_written() -> None:
    world = World()
    back_again = Dirty(0, 11, [(b"u1", b"new")])
    await commit_all(world, "old", WRITTEN)
    await commit_all(world, "other", REMOVED, back_again)
    forget_tombstones(world)
    await commit_all(world, "old")
    assert profiles_on(world, "old") == {b"u1": b"new", b"u2": b"row"}
    assert all(world.disk("old", (table, 0)) for table in TABLES)
    assert WATERMARK_KEY in world.disk("old", (PROFILES, 0))
