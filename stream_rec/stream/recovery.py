"""Recovery of a partition: from whatever is on disk to the state that its changelogs hold.

1. roll both stores forward to the ends of their changelogs (an empty disk starts at the beginning,
   and so does a store that may have missed the removal of a row)
2. see that the watermark fits the events topic: same topic, same partitions, not past its end
3. choose an epoch greater than all others, append a claim to both changelogs, wait for it
4. roll both stores forward to the claims: nothing older than a claim counts after it
5. write again every key whose last record is a zombie's, because compaction would keep that one;
   until then the stores' positions stay before the zombie's records, so that whoever comes after a
   crash meets them again
6. process events from the recovered watermark + 1, whatever offset the group has committed, and
   commit that offset, so that the group's lag is right from here on

What if a step fails: nothing but stores that hold more of their changelogs has changed, except for
a claim, which the next owner's claim overrules. All steps may be repeated.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import NamedTuple

from stream_rec.errors import StateError
from stream_rec.stream.changelog import (
    CLAIM_KEY,
    NO_OFFSET,
    PROFILES,
    TABLES,
    WATERMARK_KEY,
    Position,
    Watermark,
    era_of,
    make_epoch,
)
from stream_rec.stream.effects import Effects, LogRecord, Source
from stream_rec.stream.fence import FencedError, ValidPrefix, claim_row
from stream_rec.stream.ownership import Ownership, settle
from stream_rec.stream.plan import ORDINARY, Plan

logger = logging.getLogger(__name__)


class Recovered(NamedTuple):
    """A partition that is ours, and the offset of the first event to process."""

    owned: Ownership
    start_offset: int


async def recover(
    effects: Effects,
    source: Source,
    partition: int,
    generation: int,
    positions: Mapping[str, Position],
    plan: Plan = ORDINARY,
) -> Recovered:
    """Bring a partition's stores up to date and claim its changelogs.

    Parameters
    ----------
    effects : Effects
        The world, with the stores of this partition open.
    source : Source
        The events topic as it is now.
    partition : int
        Of the events topic.
    generation : int
        Of the consumer group, in which this worker got the partition.
    positions : Mapping[str, Position]
        How far each store goes, by table.
    plan : Plan
        Whether the model is rebuilt, or takes the place of another.

    Raises
    ------
    StateError
        The state contradicts the changelogs, the events topic or the plan.
    FencedError
        The partition has a newer owner.
    """
    caught_up = {
        table: await _catch_up(effects, table, partition, positions[table]) for table in TABLES
    }
    prefixes = {table: one.prefix for table, one in caught_up.items()}
    read_to = {table: one.log_end for table, one in caught_up.items()}
    first, end = await effects.source_range(partition)
    watermark = await _read_watermark(effects, partition, source, end)
    plan.check(partition, watermark)
    highest = max(prefix.position.epoch for prefix in prefixes.values())
    epoch = await _choose_epoch(effects, partition, generation, highest, watermark)
    owned = await _claim(effects, Ownership(partition, epoch, watermark, read_to), prefixes)
    owned.watermark = plan.begin(partition, owned.watermark, first)
    owned.rebuilds = plan.rebuilds
    start_offset = plan.start_offset(partition, owned.watermark)
    if start_offset < first:
        logger.error(
            "partition %d: %d events were deleted by retention before they were processed "
            "(offsets %d to %d); give the events topic a longer retention",
            *(partition, first - start_offset, start_offset, first - 1),
        )
    start_offset = max(start_offset, first)
    await effects.commit({partition: start_offset})
    return Recovered(owned, start_offset)


class _CaughtUp(NamedTuple):
    """A store at the end of its changelog."""

    prefix: ValidPrefix
    log_end: int


class _MissedRemovalsError(Exception):
    """Rows were removed after this store's watermark; it may never hear of them."""


async def _catch_up(effects: Effects, table: str, partition: int, position: Position) -> _CaughtUp:
    """Roll a store forward to the end of its changelog, from the beginning where it must."""
    try:
        return await _roll_forward(effects, table, partition, position)
    except _MissedRemovalsError:
        logger.warning(
            "%s, partition %d: rows were removed while this store was away; restoring it anew",
            *(table, partition),
        )
    position = effects.reset_store(table, partition)
    return await _roll_forward(effects, table, partition, position)


async def _roll_forward(
    effects: Effects, table: str, partition: int, position: Position
) -> _CaughtUp:
    """Apply the changelog from where the store ends to its end."""
    start = position.offset + 1
    log_end = await effects.log_end(table, partition)
    if start > log_end:
        raise StateError(
            f"{table}, partition {partition}: the state on disk goes to changelog offset "
            f"{start - 1}, the changelog only to {log_end - 1}: the topic was re-created or has "
            "lost records; restore the topic, or start anew with another app_id"
        )
    prefix = ValidPrefix(position)
    heard_of = await _removals_heard_of(effects, table, partition, position)
    await _apply(effects, table, partition, prefix, start, log_end, heard_of)
    return _CaughtUp(prefix, log_end)


async def _removals_heard_of(
    effects: Effects, table: str, partition: int, position: Position
) -> float:
    """Return the watermark up to which a store cannot have missed a removal."""
    if position.offset < 0:
        return math.inf
    stored = (await effects.read_rows(table, partition, [WATERMARK_KEY]))[0]
    return NO_OFFSET if stored is None else Watermark.decode(stored).offset


async def _apply(
    effects: Effects,
    table: str,
    partition: int,
    prefix: ValidPrefix,
    start: int,
    end: int,
    heard_of: float = math.inf,
) -> None:
    """Apply a stretch of the changelog; stop before a watermark that tells of missed removals."""
    async for records in effects.read_log(table, partition, start, end):
        rows = prefix.accept(records)
        watermark = rows.get(WATERMARK_KEY)
        if watermark is not None and Watermark.decode(watermark).removed > heard_of:
            raise _MissedRemovalsError
        position = prefix.settled_position
        await effects.write_batch(table, partition, list(rows.items()), position, None)


async def _read_watermark(
    effects: Effects, partition: int, source: Source, source_end: int
) -> Watermark:
    """Read the recovered watermark and compare it with the events topic."""
    stored = (await effects.read_rows(PROFILES, partition, [WATERMARK_KEY]))[0]
    current = Watermark(NO_OFFSET, source.n_partitions, source.topic_id)
    if stored is None:
        return current
    watermark = Watermark.decode(stored)
    advice = (
        "the model belongs to another topic: start anew under another name with `stream-rec topics "
        "create --set app_id=NAME`, then `stream-rec worker --set app_id=NAME`"
    )
    if watermark.n_partitions != source.n_partitions:
        raise StateError(
            f"expected the events topic to have {watermark.n_partitions} partitions, as when this "
            f"state was written, came {source.n_partitions}: users have moved between partitions; "
            f"{advice}, or restore the number"
        )
    if any(watermark.topic_id) and any(source.topic_id) and watermark.topic_id != source.topic_id:
        raise StateError(
            f"expected the events topic with id {watermark.topic_id.hex()}, came "
            f"{source.topic_id.hex()}: it was deleted and created again; {advice}"
        )
    if watermark.offset >= source_end:
        raise StateError(
            f"events, partition {partition}: expected at least {watermark.offset + 1} offsets, as "
            f"many as this state contains, came {source_end}: the topic was re-created or has lost "
            f"records; {advice}"
        )
    return watermark._replace(n_partitions=source.n_partitions, topic_id=source.topic_id)


async def _choose_epoch(
    effects: Effects, partition: int, generation: int, highest: int, watermark: Watermark
) -> int:
    """Return an epoch greater than all before.

    A generation that is not greater than all in the changelog is either a zombie's, or that of a
    group which was deleted or has expired and counts anew. A commit tells them apart: Kafka takes
    it only from members of the group's present generation.
    """
    epoch = make_epoch(era_of(highest), generation)
    if epoch > highest:
        return epoch
    if not await effects.commit({partition: watermark.offset + 1}):
        raise FencedError(
            f"partition {partition}: expected to own it in generation {generation}, but Kafka "
            "refuses our commit: the group has moved on"
        )
    logger.warning("the consumer group counts its generations anew; beginning the next era")
    return make_epoch(era_of(highest) + 1, generation)


async def _claim(
    effects: Effects, owned: Ownership, prefixes: Mapping[str, ValidPrefix]
) -> Ownership:
    """Append the claims, read up to them, and mend what zombies wrote.

    ``owned.next_offsets`` comes in as how far the changelogs have been read. Mostly a claim gets
    just that offset; then there is nothing between to be read.
    """
    partition = owned.partition
    for table in TABLES:
        await effects.produce(table, partition, claim_row(), owned.epoch)
    acknowledged = await effects.wait_for_acks()
    for table, prefix in prefixes.items():
        claimed_at = acknowledged[table, partition].last
        await _apply(effects, table, partition, prefix, owned.next_offsets[table], claimed_at)
        prefix.accept([LogRecord(claimed_at, CLAIM_KEY, b"", owned.epoch)])
        if prefix.position.epoch != owned.epoch:
            raise FencedError(
                f"{table}, partition {partition}: expected our claim with epoch {owned.epoch} to "
                f"be the greatest, came {prefix.position.epoch}: another worker owns it"
            )
        owned.next_offsets[table] = claimed_at + 1
        await effects.write_batch(table, partition, (), prefix.settled_position, None)
    latest = (await effects.read_rows(PROFILES, partition, [WATERMARK_KEY]))[0]
    if latest is not None:
        source = owned.watermark
        owned.watermark = Watermark.decode(latest)._replace(
            n_partitions=source.n_partitions, topic_id=source.topic_id
        )
    await _write_stale_again(effects, owned, prefixes)
    return owned


async def _write_stale_again(
    effects: Effects, owned: Ownership, prefixes: Mapping[str, ValidPrefix]
) -> None:
    if not any(prefix.stale_keys for prefix in prefixes.values()):
        return
    for table, prefix in prefixes.items():
        for key in sorted(prefix.stale_keys - {CLAIM_KEY}):
            stored = await effects.read_rows(table, owned.partition, [key])
            await effects.produce(table, owned.partition, (key, stored[0]), owned.epoch)
    await settle(effects, {owned.partition: owned}, rows={})
