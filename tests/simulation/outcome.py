"""Checkers of what the world sees: lists, dead letters, views, progress, limits, learning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from stream_rec.model.rows import WEIGHTS
from stream_rec.settings import TopicSettings
from stream_rec.stream.changelog import ITEMS, TABLES
from tests.simulation.broker import Message
from tests.simulation.durability import engine_rows, restore
from tests.simulation.producer import QUEUE_MAX
from tests.simulation.reference import Place, Reference, source_of
from tests.simulation.rows import learned_numbers
from tests.simulation.run import MODEL, Finished
from tests.simulation.world import World

TOPICS = TopicSettings()
LEARNED_BOUND = 2.0
"""How far what was learned by gradient may be from the uninterrupted fold ."""
BOOKKEEPING = frozenset({"applied", "durable", "dirty", "named"})


def check_lists(world: World, reference: Reference) -> Iterator[str]:
    """Every accepted event has a list, and the last of each user belongs to their last event.

    A subscriber drops lists with a smaller source offset than one seen before (docs/messages.md):
    a zombie's may arrive late.
    """
    last: dict[bytes | None, Place] = {}
    listed: set[Place] = set()
    emptied: set[bytes | None] = set()
    for message in world.broker.topics[TOPICS.recommendations]:
        if message.value is None:
            emptied.add(message.key)
            continue
        place = source_of(message.value)
        listed.add(place)
        last[message.key] = max(place, last.get(message.key, place))
    missing = reference.listed - listed
    if missing:
        yield f"{len(missing)} events without a list, first {min(missing)}"
    for user, place in reference.last_of_user.items():
        if last.get(user, (-1, -1)) < place:
            yield f"last list of {user!r} belongs to {last.get(user)}, last event is {place}"
    for user in reference.forgotten - emptied:
        yield f"{user!r} is to be forgotten, but no list was removed"
    for partition, offset in listed:
        key = world.broker.events[partition][offset].key
        if (partition, offset) in reference.refused or key is None:
            yield f"a list for {(partition, offset)}, which was refused"


def check_dead_letters(world: World, reference: Reference) -> Iterator[str]:
    """The dead letters are exactly the records that cannot be used, untouched."""
    came = {_source_of_letter(letter): letter for letter in world.broker.topics[TOPICS.dlq]}
    if came.keys() != reference.refused.keys():
        yield f"dead letters {sorted(came)}, expected {sorted(reference.refused)}"
    for place in came.keys() & reference.refused.keys():
        if came[place].value != reference.refused[place]:
            yield f"dead letter {place} is not what came"


def check_views(world: World, reference: Reference) -> Iterator[str]:
    """The view of every worker is the sum of its partitions; that of all is the sum of all.

    Who owns no partition ranks for nobody: partitions given up may wait in the view to be left out.
    """
    for machine in world.machines:
        if machine.worker is not None and machine.worker.assignment.watermarks():
            yield from _check_view(machine.worker.process.name, machine.worker.engine)
    if _view_by_item(_restored_engine(world)) != _view_by_item(reference.engine):
        yield "the view over all partitions differs from that of the uninterrupted fold"


def check_liveness(finished: Finished) -> Iterator[str]:
    """Left alone, the lag reaches 0 in bounded virtual time, and stays there."""
    if not finished.lag_is_0:
        offsets = finished.world.group.offsets
        ends = [len(events) for events in finished.world.broker.events]
        yield f"lag is not 0 in time: committed {offsets}, events end at {ends}"
    for context in finished.broken:
        yield f"unhandled: {context.get('message')}: {context.get('exception')!r}"


def check_limits(world: World, reference: Reference) -> Iterator[str]:
    """Queues and caches stay inside their limits."""
    for worker in world.workers:
        if worker.producer.n_queued_most > QUEUE_MAX:
            yield f"{worker.process.name}: {worker.producer.n_queued_most} records queued"
        n_dirty = max(worker.n_dirty_most, 1)
        if worker.n_users_most > MODEL.users_in_memory_max + n_dirty:
            yield f"{worker.process.name}: {worker.n_users_most} profiles in memory"
    for where in reference.rows:
        for key, row in restore(world.broker.changelogs[where].records).items():
            if len(row) > (WEIGHTS_BYTES_MAX if key == WEIGHTS else ROW_BYTES_MAX):
                yield f"row {key!r} has {len(row)} bytes"


ROW_BYTES_MAX = 4_096
WEIGHTS_BYTES_MAX = 24_576
"""Of the one row of weights: curves by feature, class and knot, and what Newton's steps need."""


def check_learned(world: World, reference: Reference) -> Iterator[str]:
    """What is learned by gradient is finite and near; with nothing foreign or replayed, equal."""
    n_takings = sum(len(worker.effects.opened) for worker in world.workers)
    is_equal = world.broker.n_partitions == 1 and n_takings == len(TABLES)
    for where, expected in reference.rows.items():
        came = learned_numbers(engine_rows(restore(world.broker.changelogs[where].records)))
        wanted = learned_numbers(expected)
        for key, numbers in came.items():
            if not all(map(math.isfinite, numbers)):
                yield f"{where}: {key!r} has learned {numbers}"
            elif is_equal and numbers != wanted.get(key):
                yield f"{where}: {key!r} has learned otherwise though nothing was disturbed"
            elif key != WEIGHTS and _distance(numbers, wanted.get(key, ())) > LEARNED_BOUND:
                yield f"{where}: {key!r} is {_distance(numbers, wanted[key]):.2f} off"
    came, wanted = _weights(_restored_engine(world)), _weights(reference.engine)
    for name, weights in came.items():
        distance = float(np.abs(weights - wanted[name]).max())
        if distance > LEARNED_BOUND:
            yield f"weights {name} are {distance:.2f} off"


def _distance(numbers: tuple[float, ...], wanted: tuple[float, ...]) -> float:
    pairs = zip(numbers, wanted, strict=True) if len(numbers) == len(wanted) else ()
    return max((abs(a - b) for a, b in pairs), default=0.0)


def _weights(engine: Any) -> dict[str, np.ndarray]:
    """Return the ranker's weights in the view, without the sums that decide their steps."""
    ranker = engine.weights.view.ranker._asdict()
    return {
        name: array
        for name, array in ranker.items()
        if name != "curvature" and not name.endswith("squares")
    }


def _restored_engine(world: World) -> Any:
    """Return an engine with all partitions, as a worker with an empty disk would have it."""
    engine = world.create_engine(world.broker.n_partitions, lambda _, keys: [None] * len(keys))
    for partition in range(world.broker.n_partitions):
        rows = engine_rows(restore(world.broker.changelogs[ITEMS, partition].records))
        engine.open_partition(partition, rows.items())
    return engine


def _source_of_letter(letter: Message) -> Place:
    headers = dict(letter.headers)
    return int(headers["dlq-source-partition"] or b""), int(headers["dlq-source-offset"] or b"")


def _check_view(name: str, engine: Any) -> Iterator[str]:
    live = _view_by_item(engine)
    engine.items.sum_up()
    if _view_by_item(engine) != live:
        yield f"{name}: the live view is not the sum of the rows"


def _view_by_item(engine: Any) -> dict[int, Any]:
    """Return all integers of the view by item's hash, links by their items' hashes."""
    rows, hashes = engine.items.view.rows, engine.items.ids.hashes
    links = rows.links
    columns = [
        column
        for name, column in rows._asdict().items()
        if name not in BOOKKEEPING and isinstance(column, np.ndarray) and column.dtype.kind in "iu"
    ]
    view = {}
    for slot in np.flatnonzero(np.isfinite(rows.first_s[: len(engine.items.ids)])).tolist():
        places = range(links.start[slot], links.start[slot] + links.length[slot])
        view[int(hashes[slot])] = (
            [column[slot].tolist() for column in columns],
            sorted(
                (int(hashes[links.neighbour[p]]), *(int(c[p]) for c in _counts(links)))
                for p in places
            ),
        )
    return view


def _counts(links: Any) -> tuple[Any, ...]:
    return links.near, links.wide, links.after
