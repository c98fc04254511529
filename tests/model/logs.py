"""Event logs for tests: recorded ones where they are, and small made-up ones anywhere."""

from __future__ import annotations

import csv
import gzip
import os
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from stream_rec.model.events import Event

DATA = Path(os.environ.get("STREAM_REC_DATA", Path(__file__).parents[3] / "shared" / "data"))
MILLISECOND_LOGS = frozenset({"yoochoose_100k"})


class FakeRecord(NamedTuple):
    """What the engine needs of a Kafka record."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


def recorded_events(log: str, n: int) -> list[Event]:
    """Return the first `n` events of a recorded log; skip the test where the logs are not there."""
    path = DATA / log / "events.csv.gz"
    if not path.exists():
        pytest.skip(f"recorded log {log} is not in {DATA}; set STREAM_REC_DATA to where it is")
    scale = 0.001 if log in MILLISECOND_LOGS else 1.0
    with gzip.open(path, "rt") as file:
        return [
            Event(
                user=row["user"],
                item=row["item"],
                type=row["type"],
                value=float(row["value"]) if row["value"] else None,
                ts=float(row["ts"]) * scale,
            )
            for row in islice(csv.DictReader(file), n)
        ]


def made_up_events(
    n: int, *, n_users: int = 20, n_items: int = 40, seed: int = 0, rated_share: float = 0.0
) -> list[Event]:
    """Return events of users who mostly take items of one of four groups, some rejections among.

    Rated events, of the share asked for, come with 8 or 9 from such users and 3 or 4 from others.
    """
    random = np.random.default_rng(seed)
    rating_random = np.random.default_rng(seed + 1)
    events = []
    for x in range(n):
        user = int(random.integers(n_users))
        group = user % 4 if random.random() < 0.8 else int(random.integers(4))
        item = 4 * int(random.integers(n_items // 4)) + group
        kind = "dislike" if random.random() < 0.05 else "click"
        value = None
        if rating_random.random() < rated_share:
            likes = group == user % 4
            kind, value = "rating", float((8 if likes else 3) + rating_random.integers(2))
        events.append(
            Event(
                user=f"u{user}",
                item=f"i{item}",
                type=kind,
                value=value,
                ts=1_700_000_000.0 + 60.0 * x,
                event_id=f"e{x}",
            )
        )
    return events


def records_of(events: list[Event], first_offset: int = 0) -> list[FakeRecord]:
    """Return the Kafka records that carry events."""
    import msgspec

    return [
        FakeRecord(
            first_offset + x,
            event.user.encode(),
            msgspec.json.encode(
                {k: v for k, v in msgspec.structs.asdict(event).items() if v is not None}
            ),
            int((event.ts or 0.0) * 1000),
        )
        for x, event in enumerate(events)
    ]
