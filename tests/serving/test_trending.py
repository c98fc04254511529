"""GET /trending?window=15m: what the events topic says was taken in the last 15 minutes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from confluent_kafka import Producer

from stream_rec.config import Settings
from stream_rec.kafka_clients import confluent_config
from tests.serving.conftest import LOG, Served, serving

PATH = "/trending?window=15m"
NOW_S = LOG[-1].ts or 0.0


def event(item: str, ago_s: float, kind: str = "click") -> dict[str, Any]:
    return {"user": "ann", "item": item, "type": kind, "ts": NOW_S - ago_s}


EVENTS = [
    event("old", 1_000),
    event("twice", 800),
    event("once", 700),
    event("disliked", 60, "dislike"),
    event("nonsense", 50, "nonsense"),
    event("twice", 40),
    event("again", 0),
]
TRENDING = [("twice", 2.0), ("again", 1.0), ("once", 1.0)]


def write(settings: Settings, events: list[dict[str, Any]]) -> None:
    producer = Producer(confluent_config(settings.kafka))
    for one in events:
        producer.produce(settings.topics.events, json.dumps(one), b"ann", partition=0)
    assert producer.flush(30) == 0


async def until_read(served: Served, n_events: int) -> None:
    """Wait until the service has read so many events."""
    follower, progressed = served.service.event_follower, asyncio.Event()
    at = served.service.settings.topics.events, 0
    follower.on_progress = progressed.set
    while follower.end_of(at) < n_events or follower.lag_of(at) > 0:
        await progressed.wait()
        progressed.clear()


async def trending(served: Served) -> dict[str, Any]:
    answer = await served.client.get(PATH)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def scores(answer: dict[str, Any]) -> list[tuple[str, float]]:
    return [(entry["item"], entry["score"]) for entry in answer["items"]]


async def test_a_half_life_stands_in_until_there_are_events(
    served: Served, settings: Settings
) -> None:
    before = await trending(served)
    assert (before["half_life_s"], before["since_s"]) == (7_200.0, None)
    assert before["items"]
    write(settings, EVENTS)
    await until_read(served, len(EVENTS))
    after = await trending(served)
    assert (after["half_life_s"], scores(after)) == (None, TRENDING)
    assert NOW_S - 910 <= after["since_s"] <= NOW_S - 900


async def test_a_start_knows_the_last_minutes_and_counts_them_as_nothing_new(
    settings: Settings,
) -> None:
    write(settings, EVENTS)
    async with serving(settings) as served:
        await until_read(served, len(EVENTS))
        assert scores(await trending(served)) == TRENDING
        assert served.service.observer.n_events == 0
        write(settings, [event("again", 0)] * 2)
        await until_read(served, len(EVENTS) + 2)
        assert scores(await trending(served))[0] == ("again", 3.0)
        assert served.service.observer.n_events == 2


async def test_a_clock_that_is_ahead_does_not_empty_the_list(
    served: Served, settings: Settings
) -> None:
    now_s = time.time()
    right, ahead = ({**event(item, 0), "ts": now_s + s} for item, s in (("a", -5), ("b", 50_000)))
    write(settings, [right, ahead])
    await until_read(served, 2)
    assert scores(await trending(served)) == [("a", 1.0), ("b", 1.0)]
