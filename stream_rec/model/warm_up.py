"""Have every kernel compiled, before the first event arrives.

numba compiles a kernel when it is first called and keeps it on disk for the next start. A worker
that did that with events waiting would answer the first of them half a minute late, so it calls
everything once on made-up events before it joins its group.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels import kept_signatures
from stream_rec.model.engine import Engine
from stream_rec.model.fold import fold_batch
from stream_rec.model.inquiry import Inquiry
from stream_rec.model.runs import Run

N_EVENTS = 12
N_USERS = 3
N_ITEMS = 5
AT_MS = 1_000_000_000_000


class _MadeUpRecord(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int


def is_compiled() -> bool:
    """Tell whether kernels of these sources are on disk: the fold, which is the last of them."""
    return bool(kept_signatures(fold_batch))


def warm_up(model: ModelSettings, events: EventSettings) -> None:
    """Pass a few events through engines that are thrown away: fold, freeze, load, fold again.

    Parameters
    ----------
    model, events : ModelSettings, EventSettings
        Of the worker.
    """
    event_type = next(iter(events.types))
    records = [_record(offset, event_type) for offset in range(N_EVENTS)]
    engine = _new_engine(model, events)
    engine.open_partition(0)
    engine.process([Run(0, records)], AT_MS)
    frozen = engine.freeze(0)
    successor = _new_engine(model, events)
    successor.open_partition(0, frozen.items, frozen.offset)
    successor.process([Run(0, [_record(N_EVENTS, event_type)])], AT_MS)
    successor.close_partition(0)


def warm_up_questions(model: ModelSettings, events: EventSettings) -> None:
    """Follow a made-up partition and ask everything that can be asked; for a service of lists."""
    event_type = next(iter(events.types))
    teacher = _new_engine(model, events)
    teacher.open_partition(0)
    records = [_record(offset, event_type) for offset in range(N_EVENTS)]
    teacher.process([Run(0, records)], AT_MS)
    frozen = teacher.freeze(0)
    follower = Engine(model, events, source_topic="made-up", n_partitions=1, read_only=True)
    follower.follow_partition(0)
    follower.apply_foreign(0, frozen.items)
    inquiry = Inquiry(follower, model, events)
    now_s = inquiry.latest_s()
    inquiry.list_for_history(["item-1"], model.list_length, now_s, ["item-2"])
    inquiry.order_for_history(["item-1"], ["item-2"], now_s)
    inquiry.related("item-1", "similar")
    inquiry.trending(0, now_s)
    for _, row in frozen.profiles:
        if row is not None:
            inquiry.list_for_profile("user-0", row, model.list_length, now_s)


def _new_engine(model: ModelSettings, events: EventSettings) -> Engine:
    return Engine(model, events, source_topic="made-up", n_partitions=2)


def _record(offset: int, event_type: str) -> _MadeUpRecord:
    user = f"user-{offset % N_USERS}"
    event = {
        "user": user,
        "item": f"item-{offset % N_ITEMS}",
        "type": event_type,
        "value": 5,
        "ts": AT_MS + offset * 1000,
    }
    return _MadeUpRecord(offset, user.encode(), msgspec.json.encode(event), AT_MS + offset * 1000)
