"""Rolling a store forward: it applies its changelog from where it ends.

A store that may have missed the removal of a row begins anew instead: see changelog.py.
"""

from __future__ import annotations

import logging
import math
from contextlib import aclosing

from stream_rec.errors import StateError
from stream_rec.stream.changelog import NO_OFFSET, WATERMARK_KEY, Position, Watermark
from stream_rec.stream.effects import Effects
from stream_rec.stream.fence import ValidPrefix
from stream_rec.stream.removals import find_listed

logger = logging.getLogger(__name__)


class _MissedRemovalsError(Exception):
    """Rows were removed after this store's watermark; it may never hear of them."""


async def roll_forward(
    effects: Effects, table: str, partition: int, position: Position
) -> tuple[ValidPrefix, int]:
    """Roll a store forward to the end of its changelog, from the beginning where it must."""
    try:
        return await _from_position(effects, table, partition, position)
    except _MissedRemovalsError:
        logger.warning(
            "%s, partition %d: rows were removed while this store was away; restoring it anew",
            *(table, partition),
        )
    position = effects.reset_store(table, partition)
    return await _from_position(effects, table, partition, position)


async def _from_position(
    effects: Effects, table: str, partition: int, position: Position
) -> tuple[ValidPrefix, int]:
    """Apply the changelog from where the store ends to its end; return that, too."""
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
    await apply(effects, table, partition, prefix, start, log_end, heard_of)
    return prefix, log_end


async def _removals_heard_of(
    effects: Effects, table: str, partition: int, position: Position
) -> float:
    """Return the watermark up to which a store cannot have missed a removal."""
    if position.offset < 0:
        return math.inf
    stored = (await effects.read_rows(table, partition, [WATERMARK_KEY]))[0]
    if stored is None:
        return NO_OFFSET
    watermark, listed = Watermark.decode(stored).offset, await find_listed(effects, partition)
    return min(watermark, listed.offset - 1) if listed.keys else watermark


async def apply(
    effects: Effects,
    table: str,
    partition: int,
    prefix: ValidPrefix,
    start: int,
    end: int,
    heard_of: float = math.inf,
) -> None:
    """Apply a stretch of the changelog; stop before a watermark that tells of missed removals."""
    async with aclosing(effects.read_log(table, partition, start, end)) as batches:
        async for records in batches:
            rows = prefix.accept(records)
            watermark = rows.get(WATERMARK_KEY)
            if watermark is not None and Watermark.decode(watermark).removed > heard_of:
                raise _MissedRemovalsError
            position = prefix.settled_position
            await effects.write_batch(table, partition, list(rows.items()), position, None)
