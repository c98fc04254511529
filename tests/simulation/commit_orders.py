"""Commits whose steps come in another order than production's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from unittest.mock import patch

from stream_rec.model.freezing import Frozen
from stream_rec.stream.changelog import ITEMS, PROFILES, TABLES, WATERMARK_KEY
from stream_rec.stream.commit import CommitCycle

Fault = Callable[[], AbstractContextManager[Any]]


async def _commit_in_order(
    cycle: CommitCycle, frozen: Sequence[Frozen], order: Sequence[str]
) -> None:
    """Run the steps of a commit in another order than production; removals are with the rows."""
    rows = {
        ITEMS: {one.partition: list(one.items) for one in frozen},
        PROFILES: {one.partition: list(one.profiles) for one in frozen},
    }
    watermarks = {one.partition: cycle._advance(one) for one in frozen}
    for step in order:
        if step in TABLES:
            await cycle._make_durable(step, rows[step])
        elif step == "watermark":
            records = {p: [(WATERMARK_KEY, new.encode())] for p, new in watermarks.items()}
            await cycle._make_durable(PROFILES, records)
        elif step == "stores":
            for partition, watermark in watermarks.items():
                for table in TABLES:
                    await cycle._write(table, partition, rows[table][partition], watermark)
                cycle._owned[partition].watermark = watermark
        else:
            await cycle._effects.commit({one.partition: one.offset + 1 for one in frozen})


def in_order(*order: str) -> Fault:
    async def _commit(self: CommitCycle, frozen: Sequence[Frozen]) -> None:
        await _commit_in_order(self, frozen, order)

    return partial(patch.object, CommitCycle, "_commit", _commit)


async def send_watermark_behind(self: CommitCycle, frozen: Sequence[Frozen]) -> None:
    await self._make_durable(ITEMS, {one.partition: list(one.items) for one in frozen})
    rows = {
        one.partition: [*one.profiles, (WATERMARK_KEY, self._advance(one).encode())]
        for one in frozen
    }
    await self._make_durable(PROFILES, rows)
    await _commit_in_order(self, frozen, ("stores", "commit"))
