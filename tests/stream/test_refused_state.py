"""State that contradicts Kafka stops the worker, with what to do; it never guesses."""

from __future__ import annotations

import pytest

from stream_rec.errors import StateError
from stream_rec.stream.changelog import ITEMS
from tests.stream.small_worker import SmallWorker
from tests.stream.test_commit import run_worker
from tests.stream.topics import Event
from tests.stream.world import World, WorldEffects


async def test_events_topic_with_another_number_of_partitions_is_refused() -> None:
    world = World()
    await run_worker(world)
    world.n_partitions = 2
    with pytest.raises(StateError, match=r"to have 1 partitions.*came 2"):
        await SmallWorker(WorldEffects(world)).start()


async def test_recreated_events_topic_is_refused() -> None:
    world = World(topic_id=b"1" * 16)
    await run_worker(world)
    world.topic_id = b"2" * 16
    with pytest.raises(StateError, match="deleted and created again"):
        await SmallWorker(WorldEffects(world)).start()


async def test_events_topic_that_went_back_is_refused() -> None:
    world = World()
    await run_worker(world)
    world.source_ranges[0] = (0, 3)
    with pytest.raises(StateError, match="expected at least 6 offsets"):
        await SmallWorker(WorldEffects(world)).start()


async def test_state_ahead_of_its_changelog_is_refused() -> None:
    world = World()
    await run_worker(world)
    world.logs.clear()
    world.log_ends.clear()
    with pytest.raises(StateError, match="the topic was re-created"):
        await SmallWorker(WorldEffects(world)).start()


async def test_changelog_that_goes_back_while_committing_is_refused() -> None:
    world = World()
    worker = await run_worker(world)
    world.log_ends[ITEMS, 0] = 0
    worker.process([Event(6, None, b'{"user": "u0", "item": "i0"}')])
    with pytest.raises(StateError, match="expected the next offset to be"):
        await worker.commit()
