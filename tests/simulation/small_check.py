"""The checker of a small world at its end."""

from __future__ import annotations

from collections.abc import Iterator

from stream_rec.settings import TopicSettings
from tests.simulation.durability import engine_rows, restore
from tests.simulation.reference import Reference, source_of
from tests.simulation.small_world import SmallWorker, SmallWorld, check_disk

LISTS = TopicSettings().recommendations


def check(world: SmallWorld, worker: SmallWorker, reference: Reference) -> Iterator[str]:
    """Return everything that is wrong with a world at its end, and with its last worker."""
    if worker.error is not None:
        yield f"the last worker stops with {worker.error!r}"
        return
    yield from world.wrong
    for where, expected in reference.rows.items():
        changelog = world.broker.changelogs[where]
        if engine_rows(restore(changelog.records)) != expected:
            yield f"{where}: the changelog is not the fold"
        if engine_rows(restore(changelog.compacted(changelog.end))) != expected:
            yield f"{where}: the compacted changelog is not the fold"
        if world.disks[worker.name].store(where).engine_rows != expected:
            yield f"{where}: the store is not the fold"
    for name in world.disks:
        yield from check_disk(world, name)
    for partition, events in enumerate(world.broker.events):
        if world.durable_offset(partition) != len(events) - 1:
            yield f"partition {partition}: watermark {world.durable_offset(partition)}"
        if world.committed.get(partition) != len(events):
            yield f"partition {partition}: committed {world.committed.get(partition)}"
    messages = world.broker.topics[LISTS]
    listed = [source_of(message.value) for message in messages if message.value is not None]
    if set(listed) != reference.listed:
        yield f"lists for {sorted(set(listed))}, expected {sorted(reference.listed)}"
