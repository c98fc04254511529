"""Rebuilding and switching, crashed anywhere: no event between the two applications is left out."""

from __future__ import annotations

from itertools import count

import pytest

from stream_rec.errors import StateError
from stream_rec.model.freezing import Frozen
from stream_rec.stream.changelog import PROFILES, WATERMARK_KEY, Watermark
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.plan import ORDINARY, Plan
from stream_rec.stream.recovery import Recovered, recover
from tests.stream.world import Crash, World, WorldEffects

REBUILT_TO = 9
OLD_COMMITTED = 6
END = 20
REBUILD = Plan(rebuilds=True)
SWITCH = Plan(switches_from="blue", offsets={0: OLD_COMMITTED})


async def own(
    world: World, plan: Plan, crash_at: int | None = None
) -> tuple[Recovered, CommitCycle]:
    """Own partition 0 as the next generation."""
    world.generation += 1
    world.source_ranges[0] = 0, END
    effects = WorldEffects(world, crash_at=crash_at)
    source, positions = await effects.source(), effects.positions(0)
    [recovered] = await recover(effects, source, [0], world.generation, positions, plan)
    cycle = CommitCycle(effects)
    cycle.take(recovered.owned)
    return recovered, cycle


async def commit(cycle: CommitCycle, offset: int, *rows: tuple[bytes, bytes]) -> None:
    async def freeze(partition: int) -> Frozen:
        return Frozen(partition, offset, [], rows)

    await cycle.commit([0], freeze)


async def rebuilt() -> World:
    world = World()
    recovered, cycle = await own(world, REBUILD)
    assert recovered.start_offset == 0
    await commit(cycle, REBUILT_TO, (b"u", b"row"))
    return world


def durable(world: World) -> Watermark:
    records = [r for r in world.logs[PROFILES, 0] if r.key == WATERMARK_KEY and r.value]
    return Watermark.decode(records[-1].value or b"")


async def test_rebuild_goes_on_after_a_crash() -> None:
    world = await rebuilt()
    assert durable(world).is_rebuilding
    recovered, _ = await own(world, REBUILD)
    assert recovered.start_offset == REBUILT_TO + 1


async def test_rebuild_from_a_time_begins_there() -> None:
    recovered, cycle = await own(World(), Plan(rebuilds=True, offsets={0: 4}))
    assert recovered.start_offset == 4
    assert cycle.watermarks[0].offset == 3


async def test_rebuilt_model_does_not_serve_by_accident() -> None:
    world = await rebuilt()
    before = dict(world.log_ends)
    with pytest.raises(StateError, match="--switch-from"):
        await own(world, ORDINARY)
    assert world.log_ends == before, "refused before anything was written"


async def test_model_that_serves_is_not_rebuilt() -> None:
    world = World()
    _, cycle = await own(world, ORDINARY)
    await commit(cycle, 3)
    with pytest.raises(StateError, match="another name"):
        await own(world, REBUILD)


async def test_switch_replays_what_the_old_application_had_not_committed() -> None:
    world = await rebuilt()
    recovered, cycle = await own(world, SWITCH)
    assert recovered.start_offset == OLD_COMMITTED
    await commit(cycle, REBUILT_TO - 1)
    assert durable(world) == durable(await rebuilt()), "in the middle: neither further nor switched"
    await commit(cycle, REBUILT_TO)
    assert not durable(world).is_rebuilding
    assert (await own(world, ORDINARY))[0].start_offset == REBUILT_TO + 1


async def test_switch_crashed_anywhere_leaves_no_event_without_a_list() -> None:
    for crash_at in count():
        world = await rebuilt()
        try:
            _, cycle = await own(world, SWITCH, crash_at)
            await commit(cycle, REBUILT_TO - 2, (b"u", b"row 7"))
            await commit(cycle, REBUILT_TO + 1, (b"u", b"row 10"))
        except Crash:
            again, _ = await own(world, SWITCH)
            is_switched = not again.owned.watermark.is_rebuilding
            assert again.start_offset == (REBUILT_TO + 2 if is_switched else OLD_COMMITTED)
            assert again.owned.watermark.offset == (REBUILT_TO + 1 if is_switched else REBUILT_TO)
        else:
            break
    assert crash_at >= 15
