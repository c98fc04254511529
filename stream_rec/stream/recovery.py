"""Recovery of partitions: from whatever is on disk to the state that their changelogs hold.

1. roll both stores forward to the ends of their changelogs (an empty disk starts at the beginning,
   and so does a store that may have missed the removal of a row)
2. see that the watermark fits the events topic: same topic, same partitions, not past its end
3. choose an epoch greater than all others, append a claim to both changelogs, wait for it
4. roll both stores forward to the claims: nothing older than a claim counts after it
5. write again every key whose last record is a zombie's, because compaction would keep that one;
   until then the stores' positions stay before the zombie's records, so that whoever comes after a
   crash meets them again
6. remove the rows that a commit has listed and not removed, if its watermark is the durable one;
   drop the list (removals.py)
7. process events from the recovered watermark + 1, whatever offset the group has committed, and
   commit that offset, so that the group's lag is right from here on

What if a step fails: nothing but stores that hold more of their changelogs has changed, except for
a claim, which the next owner's claim overrules, and removals that were due. All steps may be
repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
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
from stream_rec.stream.effects import Effects, LogRecord, Row, Source
from stream_rec.stream.fence import FencedError, ValidPrefix, claim_row
from stream_rec.stream.ownership import Ownership, Where, make_durable, settle
from stream_rec.stream.plan import ORDINARY, Plan
from stream_rec.stream.removals import dropping, find_listed, removals
from stream_rec.stream.roll_forward import apply, roll_forward

logger = logging.getLogger(__name__)


class Recovered(NamedTuple):
    """A partition that is ours, and the offset of the first event to process."""

    owned: Ownership
    start_offset: int


class _CaughtUp(NamedTuple):
    """A partition whose stores are at the ends of their changelogs, about to be claimed."""

    owned: Ownership
    prefixes: Mapping[str, ValidPrefix]
    first_event: int


async def recover(
    effects: Effects,
    source: Source,
    partitions: Sequence[int],
    generation: int,
    positions: Mapping[Where, Position],
    plan: Plan = ORDINARY,
) -> list[Recovered]:
    """Bring the stores of partitions up to date and claim their changelogs.

    All are claimed and committed together: a rebalance waits once for Kafka, not once a partition.

    Parameters
    ----------
    effects : Effects
        The world, with the stores of these partitions open.
    source : Source
        The events topic as it is now.
    partitions : sequence of int
        Of the events topic.
    generation : int
        Of the consumer group, in which this worker got the partitions.
    positions : Mapping[Where, Position]
        How far each store goes, by table and partition.
    plan : Plan
        Whether the model is rebuilt, or takes the place of another.

    Raises
    ------
    StateError
        The state contradicts the changelogs, the events topic or the plan.
    FencedError
        A partition has a newer owner.
    """
    caught_up = [
        await _catch_up(effects, source, partition, generation, positions, plan)
        for partition in partitions
    ]
    await _claim(effects, caught_up)
    recovered = [_begin(one, plan) for one in caught_up]
    if recovered:
        await effects.commit({one.owned.partition: one.start_offset for one in recovered})
    return recovered


async def _catch_up(
    effects: Effects,
    source: Source,
    partition: int,
    generation: int,
    positions: Mapping[Where, Position],
    plan: Plan,
) -> _CaughtUp:
    """Roll a partition's stores forward, compare them with the events, and choose an epoch."""
    prefixes, read_to = {}, {}
    for table in TABLES:
        prefixes[table], read_to[table] = await roll_forward(
            effects, table, partition, positions[table, partition]
        )
    first_event, end = await effects.source_range(partition)
    watermark = await _read_watermark(effects, partition, source, end)
    plan.check(partition, watermark)
    highest = max(prefix.position.epoch for prefix in prefixes.values())
    epoch = await _choose_epoch(effects, partition, generation, highest, watermark)
    return _CaughtUp(Ownership(partition, epoch, watermark, read_to), prefixes, first_event)


def _begin(caught_up: _CaughtUp, plan: Plan) -> Recovered:
    """Say where a claimed partition goes on."""
    owned, first = caught_up.owned, caught_up.first_event
    owned.watermark = plan.begin(owned.partition, owned.watermark, first)
    owned.rebuilds = plan.rebuilds
    start_offset = plan.start_offset(owned.partition, owned.watermark)
    if start_offset < first:
        logger.error(
            "partition %d: %d events were deleted by retention before they were processed "
            "(offsets %d to %d); give the events topic a longer retention",
            *(owned.partition, first - start_offset, start_offset, first - 1),
        )
    return Recovered(owned, max(start_offset, first))


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


async def _claim(effects: Effects, caught_up: Sequence[_CaughtUp]) -> None:
    """Append the claims, read up to them, and mend what zombies wrote."""
    for one in caught_up:
        for table in TABLES:
            await effects.produce(table, one.owned.partition, claim_row(), one.owned.epoch)
    acknowledged = await effects.wait_for_acks()
    for one in caught_up:
        for table, prefix in one.prefixes.items():
            claimed_at = acknowledged[table, one.owned.partition].last
            await _read_to_claim(effects, table, one.owned, prefix, claimed_at)
        await _take_watermark(effects, one.owned)
    await _write_stale_again(effects, caught_up)
    await _remove_listed(effects, {one.owned.partition: one.owned for one in caught_up})


async def _read_to_claim(
    effects: Effects, table: str, owned: Ownership, prefix: ValidPrefix, claimed_at: int
) -> None:
    """Apply what was written before our claim, and begin behind it.

    ``owned.next_offsets`` comes in as how far the changelogs have been read. Mostly a claim gets
    just that offset; then there is nothing between to be read.
    """
    partition = owned.partition
    await apply(effects, table, partition, prefix, owned.next_offsets[table], claimed_at)
    prefix.accept([LogRecord(claimed_at, CLAIM_KEY, b"", owned.epoch)])
    if prefix.position.epoch != owned.epoch:
        raise FencedError(
            f"{table}, partition {partition}: expected our claim with epoch {owned.epoch} to be "
            f"the greatest, came {prefix.position.epoch}: another worker owns it"
        )
    owned.next_offsets[table] = claimed_at + 1
    await effects.write_batch(table, partition, (), prefix.settled_position, None)


async def _take_watermark(effects: Effects, owned: Ownership) -> None:
    """Go on from the watermark that the store holds now; the events topic is as we found it."""
    latest = (await effects.read_rows(PROFILES, owned.partition, [WATERMARK_KEY]))[0]
    if latest is not None:
        source = owned.watermark
        owned.watermark = Watermark.decode(latest)._replace(
            n_partitions=source.n_partitions, topic_id=source.topic_id
        )


async def _write_stale_again(effects: Effects, caught_up: Sequence[_CaughtUp]) -> None:
    stale = [
        (table, one.owned, key)
        for one in caught_up
        for table, prefix in one.prefixes.items()
        for key in sorted(prefix.stale_keys - {CLAIM_KEY})
    ]
    for table, owned, key in stale:
        stored = await effects.read_rows(table, owned.partition, [key])
        await effects.produce(table, owned.partition, (key, stored[0]), owned.epoch)
    if stale:
        await settle(effects, {one.owned.partition: one.owned for one in caught_up}, rows={})


async def _remove_listed(effects: Effects, owned: Mapping[int, Ownership]) -> None:
    """Remove what a commit that was cut short has listed, if its watermark is the durable one."""
    found = {partition: await find_listed(effects, partition) for partition in owned}
    due = {p: one for p, one in found.items() if one.offset == owned[p].watermark.offset}
    await _write_profiles(effects, owned, {p: removals(one) for p, one in due.items()})
    await _write_profiles(effects, owned, {p: dropping(one) for p, one in found.items()})


async def _write_profiles(
    effects: Effects, owned: Mapping[int, Ownership], rows: Mapping[int, Sequence[Row]]
) -> None:
    """Make rows durable in the changelogs, then in the stores."""
    rows = {partition: own for partition, own in rows.items() if own}
    if rows:
        await make_durable(effects, owned, PROFILES, rows)
    for partition, own in rows.items():
        one = owned[partition]
        position = Position(one.next_offsets[PROFILES] - 1, one.epoch)
        await effects.write_batch(PROFILES, partition, own, position, None)
