"""Batches come in order, one at a time, and an error of their handling ends the following."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError

import pytest
from confluent_kafka import Producer

from stream_rec.config import Settings
from stream_rec.kafka_clients import confluent_config
from stream_rec.serving.follower import Followed, Follower, Handler

N_RECORDS = 200
BATCH_MAX = 7
HOLD_S = 0.005
DEADLINE_S = 60.0


def follow(settings: Settings, handle: Handler, failed: asyncio.Future[BaseException]) -> Follower:
    """Write records, and follow them from the first."""
    topic = settings.topics.events
    producer = Producer(confluent_config(settings.kafka))
    for number in range(N_RECORDS):
        producer.produce(topic, b"%d" % number, partition=0)
    assert producer.flush(30) == 0
    follower = Follower(
        settings.kafka, {(topic, 0): 0}, handle, failed.set_result, BATCH_MAX, HOLD_S
    )
    follower.start()
    return follower


async def test_batches_are_handled_in_order_and_one_at_a_time(settings: Settings) -> None:
    offsets: list[int] = []
    n_active = 0
    everything = asyncio.Event()

    async def handle(records: Sequence[Followed]) -> None:
        nonlocal n_active
        n_active += 1
        assert n_active == 1
        assert len(records) <= BATCH_MAX
        await asyncio.sleep(0)
        offsets.extend(record.offset for record in records)
        n_active -= 1
        if len(offsets) >= N_RECORDS:
            everything.set()

    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    follower = follow(settings, handle, failed)
    async with asyncio.timeout(DEADLINE_S):
        await everything.wait()
    await follower.stop()
    assert offsets == list(range(N_RECORDS))
    assert not failed.done()


async def test_an_error_is_told_and_nothing_more_is_handled(settings: Settings) -> None:
    n_handled = 0
    error = ValueError("cannot be handled")

    async def handle(records: Sequence[Followed]) -> None:
        nonlocal n_handled
        n_handled += 1
        raise error

    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    follower = follow(settings, handle, failed)
    async with asyncio.timeout(DEADLINE_S):
        assert await failed is error
    await follower.stop()
    assert n_handled == 1


async def test_an_error_in_the_last_batch_is_told_too(settings: Settings) -> None:
    """No batch comes after it that would find it out."""
    n_records = 0
    error = ValueError("cannot be handled")

    async def handle(records: Sequence[Followed]) -> None:
        nonlocal n_records
        n_records += len(records)
        if n_records == N_RECORDS:
            raise error

    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    follower = follow(settings, handle, failed)
    async with asyncio.timeout(DEADLINE_S):
        assert await failed is error
    await follower.stop()


@pytest.mark.parametrize(
    ("error", "told"),
    [(RuntimeError("cannot go on"), RuntimeError), (asyncio.CancelledError(), CancelledError)],
    ids=["runtime error", "cancelled"],
)
async def test_an_error_like_those_of_a_stop_is_told_while_nobody_stops_it(
    settings: Settings, error: BaseException, told: type[BaseException]
) -> None:
    async def handle(records: Sequence[Followed]) -> None:
        raise error

    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    follower = follow(settings, handle, failed)
    async with asyncio.timeout(DEADLINE_S):
        assert isinstance(await failed, told)
    await follower.stop()
