"""What a worker knows of the partitions that it owns, and how it stays the only one that counts.

Kafka gives an owner that is alone in a changelog partition consecutive offsets. A hole between
them, or an end behind them, means that somebody else has written there: a new owner, then this
worker is the zombie and stops; or a zombie, then what it wrote is written over (fence.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from stream_rec.errors import StateError
from stream_rec.stream.changelog import CLAIM_KEY, Watermark
from stream_rec.stream.effects import Acked, Effects, Row
from stream_rec.stream.fence import check_foreign, claim_row

REPAIR_ROUNDS_MAX = 10

Where = tuple[str, int]
"""Table and partition."""


@dataclass
class Ownership:
    """What this worker knows of a partition that it owns.

    ``next_offsets`` has, by table, the offset that the next changelog record must get as long as
    nobody else writes there. ``rebuilds`` while the model is not to be switched to yet.
    """

    partition: int
    epoch: int
    watermark: Watermark
    next_offsets: dict[str, int]
    rebuilds: bool = False


async def make_durable(
    effects: Effects,
    owned: Mapping[int, Ownership],
    table: str,
    rows: Mapping[int, Sequence[Row]],
    behind: Mapping[int, Sequence[Row]] | None = None,
) -> None:
    """Produce rows of partitions and wait until they are the last valid ones of their keys.

    ``behind`` are rows produced before that are not in the store yet. Raises what `settle` does.
    """
    for partition, partition_rows in rows.items():
        for row in partition_rows:
            await effects.produce(table, partition, row, owned[partition].epoch)
    newer = {p: [*(behind or {}).get(p, ()), *own] for p, own in rows.items()}
    await settle(effects, owned, rows={table: newer})


async def settle(
    effects: Effects,
    owned: Mapping[int, Ownership],
    rows: Mapping[str, Mapping[int, Sequence[Row]]],
) -> None:
    """Wait for acknowledgements, then write again every key that a zombie wrote in between.

    Parameters
    ----------
    effects : Effects
        The world.
    owned : Mapping[int, Ownership]
        The partitions written to; their ``next_offsets`` advance.
    rows : Mapping[str, Mapping[int, Sequence[Row]]]
        What is newer than the store, by table and partition.

    Raises
    ------
    FencedError
        A partition has a new owner.
    StateError
        The changelog was truncated or re-created, or a zombie writes without end.
    """
    for _ in range(REPAIR_ROUNDS_MAX):
        acknowledged = await effects.wait_for_acks()
        stale = {
            (table, partition): await _advance_past(effects, table, owned[partition], acked)
            for (table, partition), acked in acknowledged.items()
        }
        if not await _write_again(effects, owned, stale, rows):
            return
    raise StateError(
        f"expected to be alone in the changelogs after {REPAIR_ROUNDS_MAX} rounds, came records of "
        "another worker in each; two groups use the same app_id: give each its own"
    )


async def look_for_strangers(
    effects: Effects, owned: Mapping[int, Ownership], ends: Mapping[int, Mapping[str, int]]
) -> None:
    """Overrule what others wrote where our own offsets could not show it.

    A zombie's record is the last of its key, and once ``topics.min_compaction_lag_ms`` has passed,
    compaction would keep it instead of ours.

    Parameters
    ----------
    effects : Effects
        The world.
    owned : Mapping[int, Ownership]
        The partitions; their ``next_offsets`` advance.
    ends : Mapping[int, Mapping[str, int]]
        ``next_offsets`` as they were: only where they still are the same is there need to look.

    Raises
    ------
    FencedError
        A partition has a new owner.
    """
    stale: dict[Where, set[bytes]] = {}
    for partition, one in list(owned.items()):  # one may be given up meanwhile
        for table, end in ends.get(partition, {}).items():
            if one.next_offsets[table] == end:
                log_end = await effects.log_end(table, partition)
                stale[table, partition] = await _pass_strangers(effects, table, one, log_end)
    if await _write_again(effects, owned, stale, {}):
        await settle(effects, owned, rows={})


async def _advance_past(effects: Effects, table: str, owned: Ownership, acked: Acked) -> set[bytes]:
    """Move to behind what was acknowledged; return the keys that others wrote in between."""
    expected = owned.next_offsets[table]
    if acked.first < expected:
        raise StateError(
            f"{table} changelog, partition {owned.partition}: expected the next offset to be "
            f"{expected} or more, came {acked.first}: the topic was re-created or has lost "
            "acknowledged records; restart this worker to compare its state with the topic"
        )
    if acked.last + 1 - expected == acked.n_records:
        owned.next_offsets[table] = acked.last + 1
        return set()
    return await _pass_strangers(effects, table, owned, acked.last + 1)


async def _pass_strangers(effects: Effects, table: str, owned: Ownership, end: int) -> set[bytes]:
    """Move to ``end``, reading what is there; return the keys whose last record is not ours."""
    stale_keys: set[bytes] = set()
    expected = owned.next_offsets[table]
    async with aclosing(effects.read_log(table, owned.partition, expected, end)) as batches:
        async for records in batches:
            stale_keys -= {record.key for record in records}
            stale_keys |= check_foreign(records, owned.epoch)
    owned.next_offsets[table] = end
    return stale_keys


async def _write_again(
    effects: Effects,
    owned: Mapping[int, Ownership],
    stale: Mapping[Where, set[bytes]],
    rows: Mapping[str, Mapping[int, Sequence[Row]]],
) -> bool:
    """Produce our row of each stale key; return whether there was any."""
    for (table, partition), keys in stale.items():
        newer = dict(rows.get(table, {}).get(partition, ())) if keys else {}
        for key in sorted(keys):
            row = await _current_row(effects, table, owned[partition], key, newer)
            await effects.produce(table, partition, row, owned[partition].epoch)
    return any(stale.values())


async def _current_row(
    effects: Effects, table: str, owned: Ownership, key: bytes, newer: Mapping[bytes, bytes | None]
) -> Row:
    if key == CLAIM_KEY:
        return claim_row()
    if key in newer:
        return key, newer[key]
    stored = await effects.read_rows(table, owned.partition, [key])
    return key, stored[0]
