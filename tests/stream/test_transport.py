"""What has come reaches the agent whole, or is asked for again; nothing slips through."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import pytest
from aiokafka.structs import TopicPartition
from faust.types import TP

from stream_rec.errors import StateError
from stream_rec.stream.batches import EventRecord, RecordBatch
from stream_rec.stream.transport import BatchConsumer, BatchConsumerThread

EVENTS = "events"
RECORDS_MAX = 4


class Reader:
    """What has come, as a test says, and where it was told to go on."""

    def __init__(self) -> None:
        self.came: dict[int, list[EventRecord]] = {}
        self.seeks: list[dict[int, int]] = []

    def seek(self, next_offsets: dict[int, int]) -> None:
        self.seeks.append(dict(next_offsets))

    async def take(self, records_max: int) -> dict[int, list[EventRecord]]:
        return self.came

    def highwater(self, partition: int) -> int:
        return 0


class Consumer(BatchConsumer):
    """A consumer of what a test brings, without Faust's threads."""

    def __init__(self, n_partitions: int) -> None:
        self._topic, self._batch_records_max, self._reader = EVENTS, RECORDS_MAX, Reader()
        self._next_fetch, self._gaps_asked_again, self._read_offset = {}, {}, {}
        self._is_free = asyncio.Event()
        self._is_free.set()
        self.n_missing_offsets = 0
        self.log = logging.getLogger(__name__)
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            monitor=SimpleNamespace(track_tp_end_offset=lambda *_: None),
            log_reader=SimpleNamespace(offsets=self._offsets),
        )
        self.ends: dict[int, int] = {}
        self.flow_active = True
        self.can_resume_flow, self.suspend_flow = asyncio.Event(), asyncio.Event()
        self.active = {TP(EVENTS, partition) for partition in range(n_partitions)}
        self._read_offset.update(dict.fromkeys(self.active))

    async def _offsets(self, topic: str, partition: int) -> tuple[int, int]:
        return 0, self.ends.get(partition, 1_000)

    should_stop = False  # a property of Faust's services

    @property
    def seeks(self) -> list[dict[int, int]]:
        return self._reader.seeks

    async def _wait_next_records(self, timeout: float) -> tuple[dict, set[TP]]:
        return await self._getmany(self.active, timeout), self.active

    def bring(self, **offsets: range) -> None:
        """Let the next take bring these offsets of partitions p0, p1, …"""
        self._reader.came = {
            int(name[1:]): [
                EventRecord(EVENTS, int(name[1:]), offset, 1_000, None, b"", []) for offset in span
            ]
            for name, span in offsets.items()
        }

    async def messages(self) -> list[list[tuple[int, int, int]]]:
        """Return what one round of fetching hands on; the agent handles it at once."""
        came = [spans(message.value) async for _, message in self.getmany(1.0)]
        self.on_handled()
        return came


def spans(batches: list[RecordBatch]) -> list[tuple[int, int, int]]:
    return [(one.partition, one.start, one.last) for one in batches]


@pytest.fixture
def consumer() -> Consumer:
    return Consumer(n_partitions=3)


async def test_what_came_of_several_partitions_is_one_message(consumer: Consumer) -> None:
    consumer.bring(p0=range(5, 6), p1=range(2), p2=range(7, 8))
    assert await consumer.messages() == [[(0, 5, 5), (1, 0, 1), (2, 7, 7)]]


async def test_the_next_message_waits_until_the_last_is_handled(consumer: Consumer) -> None:
    consumer.bring(p0=range(1))
    assert [one async for one in consumer.getmany(1.0)]
    consumer.bring(p0=range(1, 2))
    following = asyncio.create_task(consumer.messages())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not following.done()
    consumer.bring(p0=range(1, 4))  # more has come meanwhile, and goes along
    consumer.on_handled()
    assert await following == [[(0, 1, 3)]]


async def test_nothing_waits_for_a_message_that_a_rebalance_dropped(consumer: Consumer) -> None:
    consumer.bring(p0=range(1))
    assert [one async for one in consumer.getmany(1.0)]
    consumer.stop_flow()
    assert await consumer.messages() == []
    consumer.resume_flow()
    consumer.bring(p0=range(1, 2))
    assert await consumer.messages() == [[(0, 1, 1)]]


async def test_only_the_paused_partition_is_asked_for_again(consumer: Consumer) -> None:
    consumer.bring(p0=range(6), p1=range(1))
    consumer.active = {TP(EVENTS, 1)}
    assert await consumer.messages() == [[(1, 0, 0)]]
    assert consumer.seeks == [{0: 0}]


async def test_what_was_fetched_before_a_rewind_is_dropped(consumer: Consumer) -> None:
    consumer.bring(p0=range(8))
    assert await consumer.messages() == [[(0, 0, 7)]]
    consumer.rewind({0: 2})
    consumer.bring(p0=range(8, 9), p1=range(1))
    assert await consumer.messages() == [[(1, 0, 0)]]
    consumer.bring(p0=range(2, 5))
    assert await consumer.messages() == [[(0, 2, 4)]]


async def test_nothing_of_an_older_generation_is_handed_on(consumer: Consumer) -> None:
    consumer.bring(p0=range(8))
    take = consumer._reader.take

    async def rebalanced_meanwhile(records_max: int) -> dict[int, list[EventRecord]]:
        consumer.flow_active = False
        return await take(records_max)

    consumer._reader.take = rebalanced_meanwhile
    assert (await consumer.messages(), consumer.seeks) == ([], [])


async def test_a_refused_reading_stops_the_worker(consumer: Consumer) -> None:
    failures: list[Exception] = []
    consumer.app.fail = failures.append

    async def refused(records_max: int) -> dict[int, list[EventRecord]]:
        raise StateError("not authorised")

    consumer._reader.take = refused
    assert await consumer.messages() == []
    assert [str(error) for error in failures] == ["not authorised"]


async def test_a_gap_is_asked_for_once_more_and_the_others_go_on(consumer: Consumer) -> None:
    consumer._next_fetch[0] = 3
    consumer.bring(p0=range(5, 7), p1=range(1))
    assert await consumer.messages() == [[(1, 0, 0)]]
    assert consumer.seeks == [{0: 3}]
    consumer.bring(p0=range(5, 7))
    assert await consumer.messages() == [[(0, 3, 6)]]
    assert consumer.n_missing_offsets == 2


async def test_offsets_that_do_not_exist_are_counted_wherever_they_are(consumer: Consumer) -> None:
    """As the markers of transactions, which come many to a batch."""
    consumer.bring(p0=range(10, 20, 3))
    assert await consumer.messages() == [[(0, 10, 19)]]
    assert consumer.n_missing_offsets == 6


async def test_faust_never_takes_a_message_for_one_it_has_read(consumer: Consumer) -> None:
    tp = TP(EVENTS, 0)
    consumer.bring(p0=range(3))
    consumer._read_offset[tp] = 9
    ((named, message),) = [each async for each in consumer.getmany(1.0)]
    assert named == message.tp == tp
    assert message.offset >= consumer._read_offset[tp]


async def test_a_topic_that_was_made_anew_stops_the_worker(consumer: Consumer) -> None:
    failures: list[Exception] = []
    consumer.app.fail = failures.append
    consumer._next_fetch[0] = 5
    consumer.bring(p0=range(3))
    consumer.ends = {0: 5}  # what came twice
    assert (await consumer.messages(), failures) == ([], [])
    consumer.ends = {0: 3}
    assert await consumer.messages() == []
    assert "expected events, partition 0, to go on at offset 5, came its end at 3" in str(failures)


async def test_aiokafka_fetches_nothing_of_what_it_is_assigned() -> None:
    assigned = {TP(EVENTS, partition) for partition in range(3)}
    paused: list[TopicPartition] = []
    listeners: list[set[TP]] = []

    async def on_assigned(loop: object, partitions: set[TP], generation_id: int) -> None:
        assert set(paused) == {TopicPartition(*tp) for tp in assigned}
        listeners.append(partitions)

    thread = object.__new__(BatchConsumerThread)
    thread._consumer = SimpleNamespace(pause=lambda *partitions: paused.extend(partitions))
    thread.consumer = SimpleNamespace(threadsafe_partitions_assigned=on_assigned)
    thread.thread_loop = asyncio.get_running_loop()
    await thread.on_partitions_assigned(assigned, 1)
    assert listeners == [assigned]
