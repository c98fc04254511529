"""What the users of a simulated world do: a log of events, some of them unusable or repeated.

In every fifth world users also ask to be forgotten, and some come back. In every ninth there are
more items than a partition takes in.
"""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

from stream_rec.model.events import FORGET
from stream_rec.model.ids import hash_id

N_USERS = 5
N_ITEMS = 7
STARTED_AT_S = 1_700_000_000
SECONDS_BETWEEN = 600
N_ITEMS_OF_MANY = 10
WORLDS_PER_FORGETFUL = 5
WORLDS_PER_CROWDED, FIRST_CROWDED = 9, 3
BAD_VALUES = (b"not json", b"[1, 2]", b'{"user": "u1"}', b'{"user": "u1", "item": "i1", "ts": -5}')


class Produced(NamedTuple):
    """An event on its way to the events topic."""

    partition: int
    key: bytes
    value: bytes
    timestamp_ms: int


def draw_events(seed: int, n_events: int, n_partitions: int) -> list[Produced]:
    """Draw a log, each user in the partition of their id."""
    rng = random.Random(f"events {seed}")
    forgetting = random.Random(f"forget {seed}")
    n_items = N_ITEMS_OF_MANY if seed % WORLDS_PER_CROWDED == FIRST_CROWDED else N_ITEMS
    log: list[Produced] = []
    earlier: list[dict[str, Any]] = []
    for number in range(n_events):
        ts = STARTED_AT_S + number * SECONDS_BETWEEN + rng.randrange(SECONDS_BETWEEN)
        user = f"u{rng.randrange(N_USERS)}"
        event = {"user": user, "item": f"i{rng.randrange(n_items)}", "type": "click", "ts": ts}
        event |= _draw_kind(rng)
        if rng.random() < 0.5:
            event["event_id"] = f"e{number}"
        if earlier and rng.random() < 0.05:
            event = rng.choice(earlier)
        if seed % WORLDS_PER_FORGETFUL == 0 and forgetting.random() < 0.12:
            event = {"user": user, "type": FORGET}
        earlier.append(event)
        value = json.dumps(event).encode()
        if rng.random() < 0.06:
            value = rng.choice(BAD_VALUES)
        user = event["user"]
        partition = hash_id(user) % n_partitions
        log.append(Produced(partition, user.encode(), value, ts * 1000))
    return log


def _draw_kind(rng: random.Random) -> dict[str, Any]:
    draw = rng.random()
    if draw < 0.06:
        return {"type": "dislike"}
    if draw < 0.15:
        return {"type": "rating", "value": rng.randint(1, 10)}
    return {}
