"""Rows that are removed stay removed, on disks too that were away while it happened."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from copy import deepcopy
from itertools import count

import pytest

from stream_rec.errors import DeliveryError
from stream_rec.model.freezing import Frozen
from stream_rec.stream.changelog import (
    PROFILES,
    REMOVING_KEY,
    TABLES,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.effects import Acked
from stream_rec.stream.fence import ValidPrefix
from stream_rec.stream.recovery import recover
from tests.stream.world import Crash, Where, World, WorldEffects


async def commit_all(
    world: World,
    disk: str,
    *commits: Frozen,
    make_effects: Callable[..., WorldEffects] = WorldEffects,
    **options: object,
) -> None:
    """Own partition 0 for some commits, as the next generation."""
    world.generation += 1
    effects = make_effects(world, disk, **options)
    source, positions = await effects.source(), effects.positions(0)
    [recovered] = await recover(effects, source, [0], world.generation, positions)
    cycle = CommitCycle(effects)
    cycle.take(recovered.owned)
    for dirty in commits:

        async def freeze(_: int, dirty: Frozen = dirty) -> Frozen:
            return dirty

        await cycle.commit([0], freeze)


def watermark_of(world: World) -> int:
    rows = ValidPrefix(Position()).accept(world.logs[PROFILES, 0])
    return Watermark.decode(rows[WATERMARK_KEY] or b"").offset


def forget_tombstones(world: World) -> None:
    """Compact, and drop the tombstones too, as Kafka does after ``delete.retention.ms``."""
    world.compact()
    for where, records in world.logs.items():
        world.logs[where] = [record for record in records if record.value is not None]


def profiles_on(world: World, disk: str) -> dict[bytes, bytes]:
    rows = world.disk(disk, (PROFILES, 0))
    return {key: row for key, row in rows.items() if not key.startswith(b"\0")}


async def crash_at_each_effect(world: World, *commits: Frozen) -> AsyncIterator[World]:
    """Yield the worlds that a worker leaves, one for each effect that it dies after."""
    for crash_at in count():
        left = deepcopy(world)
        try:
            await commit_all(left, "disk", *commits, crash_at=crash_at, crash_after=True)
        except Crash:
            yield left
        else:
            return


def keys_in_order(world: World) -> list[tuple[bytes, bool]]:
    """Return the keys written to the changelog of profiles, and whether they were removed."""
    return [(record.key, record.value is None) for record in world.logs[PROFILES, 0]]


WRITTEN = Frozen(0, 4, [], [(b"u1", b"row"), (b"u2", b"row")])
REMOVED = Frozen(0, 9, [], [(b"u1", None)])
LATER = Frozen(0, 12, [], [(b"u3", b"row")])
BACK_AGAIN = Frozen(0, 11, [], [(b"u1", b"new")])


@pytest.mark.parametrize("later", [(), (LATER,)])
async def test_disk_that_was_away_forgets_what_was_removed(later: tuple[Frozen, ...]) -> None:
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
    await commit_all(world, "old", WRITTEN)
    await commit_all(world, "other", REMOVED, BACK_AGAIN)
    forget_tombstones(world)
    await commit_all(world, "old")
    assert profiles_on(world, "old") == {b"u1": b"new", b"u2": b"row"}
    assert all(world.disk("old", (table, 0)) for table in TABLES)
    assert WATERMARK_KEY in world.disk("old", (PROFILES, 0))


async def test_row_goes_after_the_watermark_that_vouches_for_it() -> None:
    world = World()
    await commit_all(world, "disk", WRITTEN, REMOVED)
    first_list = REMOVING_KEY + b"\0"
    assert keys_in_order(world)[-4:] == [
        (first_list, False),
        (WATERMARK_KEY, False),
        (b"u1", True),
        (first_list, True),
    ]


class LosingEffects(WorldEffects):
    """Gives one record up, and stores those behind it, as librdkafka does."""

    lost: tuple[bytes, bool] | None = None
    """Key, and whether it is a removal."""

    async def wait_for_acks(self) -> Mapping[Where, Acked]:
        kept = [one for one in self._unacked if (one[1][0], one[1][1] is None) != self.lost]
        is_lost = len(kept) < len(self._unacked)
        self._unacked = kept
        acked = await super().wait_for_acks()
        if is_lost:
            raise DeliveryError("a record was not acknowledged")
        return acked


@pytest.mark.parametrize("lost", [(b"u1", True), (REMOVING_KEY + b"\0", True)])
@pytest.mark.parametrize("again", [False, True], ids=["", "in the recovery too"])
@pytest.mark.parametrize("disk", ["disk", "empty"])
async def test_removal_that_is_given_up_is_done_by_the_next(
    lost: tuple[bytes, bool], again: bool, disk: str
) -> None:
    world = World()
    for _ in range(1 + again):
        losing = type("Losing", (LosingEffects,), {"lost": lost})
        with pytest.raises(DeliveryError):
            await commit_all(world, "disk", WRITTEN, REMOVED, make_effects=losing)
    await commit_all(world, disk)
    assert profiles_on(world, disk) == {b"u2": b"row"}


async def test_list_of_long_ago_removes_nothing() -> None:
    """Who was listed and not removed, for the watermark was lost, may be a row again since."""
    world = World()
    await commit_all(world, "other", WRITTEN)
    lists = 0
    async for left in crash_at_each_effect(world, REMOVED):
        if watermark_of(left) == REMOVED.offset:
            break
        with contextlib.suppress(Crash):
            await commit_all(left, "away", crash_at=8)
        lists += any(key.startswith(REMOVING_KEY) for key in left.disk("away", (PROFILES, 0)))
        await commit_all(left, "other", BACK_AGAIN)  # forgotten and back in one commit
        forget_tombstones(left)
        await commit_all(left, "away")
        assert profiles_on(left, "away") == {b"u1": b"new", b"u2": b"row"}
    assert lists


@pytest.mark.parametrize("disk", ["disk", "other", "empty"])
@pytest.mark.parametrize("keys_per_list", [1, 2, 50_000])
async def test_removal_that_is_cut_short_is_ended_or_never_begun(
    disk: str, keys_per_list: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_rec.stream.removals.KEYS_PER_LIST", keys_per_list)
    both = Frozen(0, 9, [], [(b"u1", None), (b"u2", None), (b"u3", b"row")])
    world, n_ended = World(), 0
    await commit_all(world, "other", WRITTEN)
    async for left in crash_at_each_effect(world, both):
        await commit_all(left, disk)
        is_durable = watermark_of(left) == both.offset
        rows = profiles_on(left, disk)
        assert rows.keys() & {b"u1", b"u2"} == (set() if is_durable else {b"u1", b"u2"})
        assert not [key for key in left.disk(disk, (PROFILES, 0)) if key.startswith(REMOVING_KEY)]
        n_ended += is_durable
    assert n_ended > 2


@pytest.mark.parametrize("away_at", range(14))
async def test_disk_that_left_in_the_middle_of_a_removal_hears_of_its_end(away_at: int) -> None:
    """Nor does it take for what was to go what has come back meanwhile."""
    world = World()
    await commit_all(world, "other", WRITTEN)
    async for left in crash_at_each_effect(world, REMOVED):
        is_durable = watermark_of(left) == REMOVED.offset
        with contextlib.suppress(Crash):
            await commit_all(left, "away", crash_at=away_at)
        await commit_all(left, "other", *(() if is_durable else (REMOVED,)), BACK_AGAIN)
        forget_tombstones(left)
        await commit_all(left, "away")
        assert profiles_on(left, "away") == {b"u1": b"new", b"u2": b"row"}
