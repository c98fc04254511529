"""What the reader of events takes: all that came, in order, each record once, from where asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, Producer

from stream_rec.errors import StateError
from stream_rec.settings import KafkaSettings
from stream_rec.stream.embedded import EmbeddedBroker
from stream_rec.stream.event_reader import POLL_TIMEOUT_S, EventReader

TAKES_MAX = 100
"""Takes until something has come: ten seconds, as each waits a moment."""


@pytest.fixture
async def reader(kafka: KafkaSettings) -> AsyncIterator[EventReader]:
    reader = EventReader(kafka, "many")
    yield reader
    await reader.close()


def send(broker: EmbeddedBroker, partition: int, offsets: range, **options: object) -> None:
    """Send records, each with its offset as value."""
    producer = Producer({"bootstrap.servers": broker.address})
    for offset in offsets:
        producer.produce("many", b"%d" % offset, partition=partition, **options)
    assert producer.flush(20) == 0


async def taken(
    reader: EventReader, n_records: int, records_max: int = 1_000
) -> list[tuple[int, int]]:
    """Take until so many have come; return (partition, offset) in the order of taking."""
    came: list[tuple[int, int]] = []
    for _ in range(TAKES_MAX):
        if len(came) >= n_records:
            break
        runs = await reader.take(records_max)
        assert sum(map(len, runs.values())) <= records_max
        for partition, run in runs.items():
            assert {record.partition for record in run} == {partition}
            came += [(partition, record.offset) for record in run]
    return came


async def test_each_partition_is_read_from_its_offset_on(
    broker: EmbeddedBroker, reader: EventReader
) -> None:
    for partition in range(3):
        send(broker, partition, range(20))
    await reader.assign({0: 5, 2: 0})
    came = await taken(reader, 35, records_max=4)
    assert [offset for partition, offset in came if partition == 0] == [*range(5, 20)]
    assert [offset for partition, offset in came if partition == 2] == [*range(20)]
    assert len(came) == 35


async def test_a_record_comes_as_it_was_sent(broker: EmbeddedBroker, reader: EventReader) -> None:
    send(broker, 1, range(1), key=b"u", headers=[("h", b"1"), ("h", b"2")], timestamp=1_234)
    send(broker, 1, range(1, 2))
    await reader.assign({1: 0})
    (full,), (bare,) = [(await reader.take(1))[1] for _ in range(2)]
    assert full == ("many", 1, 0, 1_234, b"u", b"0", [("h", b"1"), ("h", b"2")])
    assert (bare.key, bare.value, bare.headers) == (None, b"1", [])


async def test_what_comes_later_is_waited_for(broker: EmbeddedBroker, reader: EventReader) -> None:
    await reader.assign({0: 0})
    assert await reader.take(10) == {}
    coming = asyncio.create_task(taken(reader, 1))
    await asyncio.to_thread(send, broker, 0, range(1))
    assert await coming == [(0, 0)]


async def test_a_seek_takes_up_there_and_the_others_go_on(
    broker: EmbeddedBroker, reader: EventReader
) -> None:
    for partition in range(2):
        send(broker, partition, range(10))
    await reader.assign({0: 0, 1: 0})
    assert len(await taken(reader, 20)) == 20
    reader.seek({0: 7, 2: 0})  # partition 2 is another's
    send(broker, 1, range(10, 12))
    send(broker, 2, range(3))
    came = await taken(reader, 5)
    assert sorted(came) == [(0, 7), (0, 8), (0, 9), (1, 10), (1, 11)]
    assert await reader.take(10) == {}


async def test_what_is_given_up_is_read_no_more(
    broker: EmbeddedBroker, reader: EventReader
) -> None:
    await reader.assign({0: 0, 1: 0})
    await reader.assign({1: 0})
    send(broker, 0, range(5))
    send(broker, 1, range(5))
    assert await taken(reader, 5) == [(1, offset) for offset in range(5)]
    assert await reader.take(10) == {}


async def test_a_cancelled_take_loses_nothing(broker: EmbeddedBroker, reader: EventReader) -> None:
    await reader.assign({0: 0})
    came: list[tuple[int, int]] = []
    for first in range(0, 10, 2):
        waiting = asyncio.create_task(taken(reader, 1))
        await asyncio.sleep(0)  # it finds nothing and waits
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await asyncio.to_thread(send, broker, 0, range(first, first + 2))
        came += await taken(reader, 2)
    assert came == [(0, offset) for offset in range(10)]


async def test_the_end_is_known_once_something_was_fetched(
    broker: EmbeddedBroker, reader: EventReader
) -> None:
    assert reader.highwater(0) is None
    send(broker, 0, range(7))
    await reader.assign({0: 2})
    await taken(reader, 1, records_max=1)
    assert reader.highwater(0) == 7
    assert reader.highwater(1) is None


class Failing:
    """A consumer that returns errors in place of records."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)

    def consume(self, n_records: int, timeout_s: float) -> list[SimpleNamespace]:
        error = KafkaError(self.codes.pop(0))
        return [SimpleNamespace(error=lambda: error, partition=lambda: 0, offset=lambda: None)]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("code", [-1, 2, 7, 13, 14, 30, 87, 89])
async def test_reading_goes_on_after_an_error_that_may_pass(
    reader: EventReader, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    reader._consumer = Failing(code)
    assert await reader.take(10) == {}
    assert "reading many goes on after" in caplog.text


async def test_a_refusal_is_told(reader: EventReader) -> None:
    reader._consumer = Failing(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(StateError, match="check what this worker's user may read"):
        await reader.take(10)


async def test_an_end_that_is_asked_for_while_a_take_waits_is_told_at_once(
    broker: EmbeddedBroker, reader: EventReader
) -> None:
    await reader.assign({0: 0})
    waiting = asyncio.create_task(reader.take(10))
    await asyncio.sleep(0)
    began_s = time.perf_counter()
    reader.highwater(0)
    assert time.perf_counter() - began_s < POLL_TIMEOUT_S / 2
    await waiting


async def test_a_closed_reader_stays_closed(kafka: KafkaSettings) -> None:
    reader = EventReader(kafka, "many")
    await reader.assign({0: 0})
    await reader.close()
    await reader.assign({})
    assert reader.highwater(0) is None
    assert reader._consumer is None
