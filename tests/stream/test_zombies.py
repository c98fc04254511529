"""Workers that lost their partitions and do not know it yet: fenced, and written over."""

from __future__ import annotations

import pytest

from stream_rec.stream.changelog import CLAIM_KEY, ITEMS, PROFILES, WATERMARK_KEY, make_epoch
from stream_rec.stream.fence import FencedError
from tests.stream.small_worker import SmallWorker
from tests.stream.test_commit import (
    EVENTS,
    durable_offset,
    fold,
    is_crashed,
    on_disk,
    restore,
    run_worker,
)
from tests.stream.world import Crash, World, WorldEffects


async def test_zombie_is_fenced_before_it_writes_its_store() -> None:
    world = World()
    zombie = SmallWorker(WorldEffects(world, disk="zombie"))
    await zombie.start()
    zombie.process(EVENTS[:2])
    await zombie.commit()
    before = on_disk(world, "zombie")
    zombie.process(EVENTS[2:4])
    world.generation += 1
    owner = SmallWorker(WorldEffects(world, disk="owner"))
    await owner.start()
    with pytest.raises(FencedError, match="another worker owns this partition"):
        await zombie.commit()
    assert on_disk(world, "zombie") == before
    await owner.run(EVENTS)
    assert restore(world) == fold(EVENTS)


async def test_reading_has_ended_when_a_new_owner_is_found() -> None:
    world = World()
    zombie = SmallWorker(WorldEffects(world, disk="zombie"))
    await zombie.start()
    world.generation += 1
    await SmallWorker(WorldEffects(world, disk="owner")).start()
    zombie.process(EVENTS[:2])
    with pytest.raises(FencedError) as caught:  # its traceback keeps all that was under way
        await zombie.commit()
    assert caught.traceback
    assert zombie.effects.n_reading == 0


async def test_reading_has_ended_when_a_store_cannot_be_written() -> None:
    world = World()
    await run_worker(world)
    restoring = SmallWorker(WorldEffects(world, disk="empty", crash_at=0))
    with pytest.raises(Crash) as caught:
        await restoring.start()
    assert caught.traceback
    assert restoring.effects.n_reading == 0


async def test_owner_writes_again_what_a_zombie_overwrote() -> None:
    world = World()
    owner = SmallWorker(WorldEffects(world))
    await owner.start()
    owner.process(EVENTS[:4])
    await owner.commit()
    for key in (b"i:i0", b"i:i9", CLAIM_KEY):
        world.append((ITEMS, 0), (key, b"stale"), make_epoch(0, 0))
    world.append((PROFILES, 0), (WATERMARK_KEY, b"stale"), make_epoch(0, 0))
    owner.process(EVENTS[4:])
    await owner.commit()
    world.compact()
    assert restore(world) == fold(EVENTS) | {ITEMS: fold(EVENTS)[ITEMS] | {b"i:i9": None}}
    assert durable_offset(world) == 5


async def test_idle_owner_writes_again_what_a_zombie_overwrote() -> None:
    world = World()
    owner = await run_worker(world)
    world.append((PROFILES, 0), (b"u:u0", b"stale"), make_epoch(0, 0))
    world.append((ITEMS, 0), (b"i:i1", b"stale"), make_epoch(0, 0))
    await owner.commit()
    world.compact()
    assert restore(world) == fold(EVENTS)


async def test_idle_zombie_learns_that_it_is_one() -> None:
    world = World()
    zombie = await run_worker(world)
    world.generation += 1
    await SmallWorker(WorldEffects(world, disk="owner")).start()
    with pytest.raises(FencedError, match="another worker owns this partition"):
        await zombie.commit()


async def test_new_owner_writes_again_what_a_zombie_overwrote() -> None:
    world = World()
    await run_worker(world)
    for key in (b"i:i0", b"i:i1"):
        world.append((ITEMS, 0), (key, b"stale"), make_epoch(0, 0))
    world.append((PROFILES, 0), (WATERMARK_KEY, b"stale"), make_epoch(0, 0))
    world.generation += 1
    await run_worker(world, disk="new")
    world.compact()
    assert restore(world) == on_disk(world, "new") == fold(EVENTS)
    assert durable_offset(world) == 5


async def test_new_owner_that_crashes_leaves_the_zombies_keys_to_the_next() -> None:
    for crash_at in range(6):
        world = World()
        await run_worker(world)
        world.append((ITEMS, 0), (b"i:i0", b"stale"), make_epoch(0, 0))
        world.append((PROFILES, 0), (b"u:u0", b"stale"), make_epoch(0, 0))
        world.generation += 1
        await is_crashed(world, crash_at, crash_after=True)
        world.generation += 1
        await run_worker(world)
        world.compact()
        assert restore(world) == on_disk(world) == fold(EVENTS), f"crash {crash_at}"
