"""Checkers of what is durable: changelogs, stores, watermarks, committed offsets.

They know nothing of how a run came about; they read what the world has kept of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from stream_rec.stream.changelog import (
    CLAIM_KEY,
    PROFILES,
    RESERVED_PREFIX,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.effects import LogRecord
from tests.simulation.broker import Changelog
from tests.simulation.disk import POSITION_KEY
from tests.simulation.effects import Opened
from tests.simulation.reference import Reference, Rows
from tests.simulation.rows import exact_rows
from tests.simulation.world import World

NO_OFFSET = -1


def valid_records(records: Iterable[LogRecord]) -> Iterator[LogRecord]:
    """Yield what counts of a changelog: no record with a smaller epoch than one before it.

    Written anew here, not taken from `stream_rec.stream.fence`, which is under test.
    """
    highest = -1
    for record in records:
        if record.epoch >= highest:
            highest = record.epoch
            if record.key != CLAIM_KEY:
                yield record


def restore(records: Iterable[LogRecord]) -> Rows:
    """Return the rows that a worker with an empty disk gets from a changelog."""
    rows: Rows = {}
    for record in valid_records(records):
        if record.value is None:
            rows.pop(record.key, None)
        else:
            rows[record.key] = record.value
    return rows


def engine_rows(rows: Rows) -> Rows:
    """Return rows without the reserved ones."""
    return {key: row for key, row in rows.items() if not key.startswith(RESERVED_PREFIX)}


def check_rows(world: World, reference: Reference) -> Iterator[str]:
    """What changelogs hold equals the uninterrupted fold, compacted or not."""
    for where, expected in reference.rows.items():
        changelog = world.broker.changelogs[where]
        yield from _compare(f"{where} changelog", restore(changelog.records), expected)
        compacted = changelog.compacted(changelog.end)
        yield from _compare(f"{where} compacted changelog", restore(compacted), expected)


def check_watermarks(world: World, _: Reference) -> Iterator[str]:
    """The watermark ends at the last event and never goes back."""
    for partition, events in enumerate(world.broker.events):
        offsets = [at for _, at in _watermarks(world.broker.changelogs[PROFILES, partition])]
        if any(later < earlier for earlier, later in pairwise(offsets)):
            yield f"partition {partition}: the watermark goes back: {offsets}"
        if events and (not offsets or offsets[-1] != len(events) - 1):
            yield f"partition {partition}: watermark {offsets[-1:]} after {len(events)} events"


def check_committed(world: World, _: Reference) -> Iterator[str]:
    """No worker ever commits past the durable watermark + 1."""
    watermarks = {
        partition: _watermarks(world.broker.changelogs[PROFILES, partition])
        for partition in range(world.broker.n_partitions)
    }
    for commit in world.group.history:
        for partition, offset in commit.offsets.items():
            end = commit.log_ends[partition]
            durable = max((at for log_at, at in watermarks[partition] if log_at < end), default=-1)
            if offset > durable + 1:
                yield (
                    f"{commit.member} commits {offset} of partition {partition} at "
                    f"{commit.at_s:.3f} s; durable is {durable}"
                )


def check_compactions(world: World, _: Reference) -> Iterator[str]:
    """At whatever moment a changelog is compacted, what it holds stays the same."""
    for where, changelog in world.broker.changelogs.items():
        removed: frozenset[int] = frozenset()
        for compaction in changelog.compactions:
            records = [stored.record for stored in changelog.ever[: compaction.end]]
            before = restore(r for r in records if r.offset not in removed)
            removed |= compaction.removed
            after = restore(r for r in records if r.offset not in removed)
            if before != after:
                keys = sorted(k for k in before | after if before.get(k) != after.get(k))
                yield f"{where}: compaction at end {compaction.end} changes rows {keys[:3]}"


def check_stores(world: World, _: Reference) -> Iterator[str]:
    """Every store, whenever it is opened and at the end, is a prefix of its changelog."""
    changelogs = world.broker.changelogs
    for worker in world.workers:
        for opened in worker.effects.opened:
            yield from check_prefix(worker.process.name, opened, changelogs[opened.where])
    for machine in world.machines:
        for where, store in machine.disk.stores.items():
            opened = Opened(where, store.rows, changelogs[where].end)
            yield from check_prefix(machine.name, opened, changelogs[where])


def check_prefix(name: str, opened: Opened, changelog: Changelog) -> Iterator[str]:
    """Rows from behind its position are allowed: a long write ends with the position.

    And a store that was restored from a compacted changelog lacks what has later records.
    """
    where, rows, log_end = opened
    stored = rows.get(POSITION_KEY)
    position = Position() if stored is None else Position.decode(stored)
    ever = [one.record for one in changelog.ever[:log_end]]
    if position.offset >= log_end:
        yield f"{name} {where}: store at {position.offset}, changelog ends at {log_end}"
    written = [record for record in ever if record.offset <= position.offset]
    prefix = restore(written)
    gone = changelog.removed_until(log_end)
    compacted = restore(record for record in written if record.offset not in gone)
    later: dict[bytes, set[bytes | None]] = {}
    for record in valid_records(ever):
        if record.offset > position.offset:
            later.setdefault(record.key, set()).add(record.value)
    held = engine_rows(rows)
    for key in sorted(held.keys() | engine_rows(prefix).keys()):
        value = held.get(key)
        allowed = {prefix.get(key), compacted.get(key), *later.get(key, ())}
        if value not in allowed:
            yield f"{name} {where}: row {key!r} at position {position.offset} is no prefix"
            return


def _watermarks(changelog: Changelog) -> list[tuple[int, int]]:
    """Return (changelog offset, watermark) of every valid watermark ever written."""
    return [
        (record.offset, Watermark.decode(record.value).offset if record.value else NO_OFFSET)
        for record in valid_records(stored.record for stored in changelog.ever)
        if record.key == WATERMARK_KEY
    ]


def _compare(name: str, rows: Rows, expected: Rows) -> Iterator[str]:
    came, wanted = exact_rows(engine_rows(rows)), exact_rows(expected)
    if came == wanted:
        return
    keys = sorted(key for key in came | wanted if came.get(key) != wanted.get(key))
    missing = sum(key not in came for key in keys)
    yield f"{name}: {len(keys)} rows differ from the fold ({missing} missing), first {keys[0]!r}"
