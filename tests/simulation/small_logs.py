"""The logs of small worlds, and how many events of a partition a commit takes in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.broker import Broker

CLICKS, FORGETS = "clicks", "forgets"


def create_clicks(n_events: int) -> tuple[Broker, int]:
    """Create a log of two partitions, with two users and two items in turns in each."""
    broker = Broker(n_partitions=2)
    for number in range(n_events):
        partition, turn = number % 2, number // 2
        _append(broker, partition, {"user": f"u{partition}{turn // 2}", "item": f"i{turn % 2}"})
    return broker, 1


def create_forgets(n_events: int) -> tuple[Broker, int]:
    """Create a log in which a user repeats an event in the next pair, is forgotten, and returns."""
    events: list[dict[str, Any]] = [
        {"user": "u0", "item": "i0"},
        {"user": "u1", "item": "i0"},
        {"user": "u0", "item": "i0", "repeats": 0},
        {"user": "u0", "forget": True},
        {"user": "u0", "item": "i1"},
        {"user": "u1", "forget": True},
    ]
    broker = Broker(n_partitions=1)
    for event in events[:n_events]:
        _append(broker, 0, event)
    return broker, 2


LOGS: Mapping[str, Callable[[int], tuple[Broker, int]]] = {
    CLICKS: create_clicks,
    FORGETS: create_forgets,
}


def _append(broker: Broker, partition: int, event: dict[str, Any]) -> None:
    number = sum(map(len, broker.events))
    key, value = event["user"].encode(), json.dumps(event).encode()
    broker.append_event(partition, key, value, timestamp_ms=number)
