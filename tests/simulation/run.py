"""Runs a schedule until its log is consumed, and a while longer, left alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stream_rec.settings import EventSettings, ModelSettings
from stream_rec.stream.engine_port import Engine, EngineFactory, ProfileReader
from tests.simulation.clock import VirtualLoop, run_virtually
from tests.simulation.schedule import Schedule
from tests.simulation.users import N_ITEMS
from tests.simulation.world import COMPACTION_LAG_S, World

LOOK_INTERVAL_S = 0.05
LIVENESS_MAX_S = 8.0
"""Left alone, the lag must be 0 within this virtual time after the last action."""
SETTLE_S = COMPACTION_LAG_S + 1.0
"""How long it is left alone then, so that every record may be compacted."""

MODEL = ModelSettings(
    list_length=5,
    half_lives_s=(7_200.0, 604_800.0),
    items_per_partition_max=N_ITEMS,
    history_length=6,
    links_per_item_max=16,
    linked_candidates=8,
    candidates_max=16,
    n_factors=4,
    users_in_memory_max=4,
    seen_items_max=64,
)
EVENTS = EventSettings(duplicate_window=4)


def create_recommender(n_partitions: int, read_profiles: ProfileReader | None) -> Engine:
    """Create the engine of production, with small tables."""
    from stream_rec.model.engine import Engine as Recommender

    engine: Engine = Recommender(
        MODEL,
        EVENTS,
        source_topic="events",
        n_partitions=n_partitions,
        read_profiles=read_profiles,
    )
    return engine


class Finished:
    """A world in which a schedule has run to its end.

    Attributes
    ----------
    lag_is_0 : bool
        Whether everything was consumed, durable and committed in time.
    took_s : float
        Virtual time until then.
    broken : list of dict
        Errors that nobody handled.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.lag_is_0 = False
        self.took_s = 0.0
        self.broken: list[dict[str, Any]] = []


def run_schedule(schedule: Schedule, create_engine: EngineFactory = create_recommender) -> Finished:
    """Run a schedule; the same schedule always runs in the same way."""

    async def main(loop: VirtualLoop) -> Finished:
        world = World(loop, schedule, create_engine)
        loop.set_exception_handler(lambda _, context: finished.broken.append(context))
        finished = Finished(world)
        world.start()
        last_action_s = max(
            [schedule.events_for_s] + [getattr(a, "at_s", 0.0) for a in schedule.actions]
        )
        while not (is_consumed(world) and loop.now_s > last_action_s):
            if loop.now_s > max(last_action_s, world.struck_at_s) + LIVENESS_MAX_S:
                break
            await loop.pass_time(LOOK_INTERVAL_S)
        else:
            finished.lag_is_0 = True
            finished.took_s = loop.now_s
            await loop.pass_time(SETTLE_S)
            finished.lag_is_0 = is_consumed(world)
        world.end()
        await loop.pass_time(LOOK_INTERVAL_S)
        return finished

    with silenced():
        return run_virtually(main)


@contextmanager
def silenced() -> Iterator[None]:
    """Log nothing: workers that die by the thousand have much to say."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def is_consumed(world: World) -> bool:
    """Say whether the group's lag is 0 with all events there."""
    ends = {p: len(events) for p, events in enumerate(world.broker.events) if events}
    return not world.n_events_to_come and all(
        world.group.offsets.get(p) == world.group.offsets_of_members.get(p) == end
        for p, end in ends.items()
    )
