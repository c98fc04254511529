"""A crash point is met once, at its side of its effect."""

from __future__ import annotations

import pytest

from stream_rec.errors import ConfigError
from stream_rec.stream.crash_points import VARIABLE, CrashPoint, arm_crash_point
from tests.stream.world import Crash, World, WorldEffects


def crash() -> None:
    raise Crash


@pytest.mark.parametrize(("moment", "n_committed"), [("before", 1), ("after", 2)])
async def test_crash_is_on_the_side_that_was_asked_for(moment: str, n_committed: int) -> None:
    world = World()
    effects = WorldEffects(world)
    arm_crash_point(effects, {VARIABLE: f"{moment}_commit:2"}, crash)
    await effects.commit({0: 1})
    with pytest.raises(Crash):
        await effects.commit({1: 1})
    assert len(world.committed) == n_committed
    await effects.commit({2: 1})


async def test_nothing_is_wrapped_where_nothing_is_asked_for() -> None:
    effects = WorldEffects(World())
    arm_crash_point(effects, {}, crash)
    assert "commit" not in vars(effects)


@pytest.mark.parametrize(
    "text", ["", "acks:1", "after_acks", "after_acks:0", "after_acks:x", "at_acks:1", "after_all:1"]
)
def test_unknown_point_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="as in after_acks:17"):
        CrashPoint.parse(text)
