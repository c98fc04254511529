"""What one fetch brought reaches the agent whole, or is asked for again; nothing slips through."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from stream_rec.stream.batches import RecordBatch
from stream_rec.stream.transport import BatchConsumer

EVENTS = "events"
RECORDS_MAX = 4


class Record(NamedTuple):
    partition: int
    offset: int
    timestamp: int = 1_000
    timestamp_type: int = 0


class Consumer(BatchConsumer):
    """A consumer of made-up fetches, without Faust's threads."""

    def __init__(self, n_partitions: int) -> None:
        self._batched_topic, self._batch_records_max = EVENTS, RECORDS_MAX
        self._next_fetch, self._gaps_asked_again, self._read_offset = {}, {}, {}
        self._buffered_partitions = set()
        self.n_missing_offsets = 0
        self.scheduler, self.log = DefaultSchedulingStrategy(), logging.getLogger(__name__)
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            monitor=SimpleNamespace(track_tp_end_offset=lambda *_: None),
        )
        self.flow_active = True
        self.active = {TP(EVENTS, partition) for partition in range(n_partitions)}
        self._read_offset.update(dict.fromkeys(self.active))
        self.fetched: dict[TP, list[Record]] = {}
        self.seeks: list[dict[TP, int]] = []

    should_stop = False  # a property of Faust's services

    async def _wait_next_records(self, timeout: float) -> tuple[dict, set[TP]]:
        return self.fetched, self.active

    async def seek_wait(self, partitions: dict[TP, int]) -> None:
        self.seeks.append(dict(partitions))

    def assignment(self) -> set[TP]:
        return set(self._read_offset)

    def highwater(self, tp: TP) -> int:
        return 0

    def bring(self, **offsets: range) -> None:
        """Let the next fetch bring these offsets of partitions p0, p1, …"""
        self.fetched = {
            TP(EVENTS, int(name[1:])): [Record(int(name[1:]), offset) for offset in span]
            for name, span in offsets.items()
        }

    async def messages(self) -> list[list[tuple[int, int, int]]]:
        return [spans(message.value) async for _, message in self.getmany(1.0)]


def spans(batches: list[RecordBatch]) -> list[tuple[int, int, int]]:
    return [(one.partition, one.start, one.last) for one in batches]


@pytest.fixture
def consumer() -> Consumer:
    return Consumer(n_partitions=3)


async def test_a_fetch_of_several_partitions_is_one_message(consumer: Consumer) -> None:
    consumer.bring(p0=range(5, 6), p1=range(2), p2=range(7, 8))
    assert await consumer.messages() == [[(0, 5, 5), (1, 0, 1), (2, 7, 7)]]


async def test_a_backlog_of_one_partition_holds_up_no_other(consumer: Consumer) -> None:
    consumer.bring(p0=range(10), p1=range(1), p2=range(1))
    assert await consumer.messages() == [
        [(0, 0, 3)],
        [(1, 0, 0), (2, 0, 0)],
        [(0, 4, 7)],
        [(0, 8, 9)],
    ]


async def test_only_the_paused_partition_is_asked_for_again(consumer: Consumer) -> None:
    consumer.bring(p0=range(6), p1=range(1))
    consumer.active = {TP(EVENTS, 1)}
    assert await consumer.messages() == [[(1, 0, 0)]]
    assert consumer.seeks == [{TP(EVENTS, 0): 0}]


async def test_a_rewind_while_another_partition_is_asked_for_again_counts(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent may rewind whenever this waits for Faust's thread."""
    seek_wait = consumer.seek_wait

    async def rewound_meanwhile(partitions: dict[TP, int]) -> None:
        await seek_wait(partitions)
        consumer._next_fetch[TP(EVENTS, 0)] = 0

    consumer.bring(p0=range(1))
    await consumer.messages()
    consumer.bring(p0=range(1, 3), p1=range(1))
    consumer.active = {TP(EVENTS, 0)}
    monkeypatch.setattr(consumer, "seek_wait", rewound_meanwhile)
    assert await consumer.messages() == []
    assert consumer._next_fetch[TP(EVENTS, 0)] == 0


async def test_what_was_fetched_before_a_rewind_is_dropped(consumer: Consumer) -> None:
    consumer.bring(p0=range(8), p1=range(1))
    came = []
    async for _, message in consumer.getmany(1.0):
        came.append(spans(message.value))
        if len(came) == 1:
            await consumer.rewind({TP(EVENTS, 0): 2})
    assert came == [[(0, 0, 3)], [(1, 0, 0)]]
    consumer.bring(p0=range(2, 5))
    assert await consumer.messages() == [[(0, 2, 4)]]


async def test_nothing_of_an_older_generation_is_handed_on(consumer: Consumer) -> None:
    consumer.bring(p0=range(8))
    came = 0
    async for _ in consumer.getmany(1.0):
        came += 1
        consumer.app.consumer_generation_id = 2
    assert (came, consumer.seeks) == (1, [])


async def test_a_gap_is_asked_for_once_more_and_the_others_go_on(consumer: Consumer) -> None:
    consumer._next_fetch[TP(EVENTS, 0)] = 3
    consumer.bring(p0=range(5, 7), p1=range(1))
    assert await consumer.messages() == [[(1, 0, 0)]]
    assert consumer.seeks == [{TP(EVENTS, 0): 3}]
    consumer.bring(p0=range(5, 7))
    assert await consumer.messages() == [[(0, 3, 6)]]
    assert consumer.n_missing_offsets == 2


async def test_faust_never_takes_a_message_for_one_it_has_read(consumer: Consumer) -> None:
    tp = TP(EVENTS, 0)
    consumer.bring(p0=range(3))
    consumer._read_offset[tp] = 9
    ((named, message),) = [each async for each in consumer.getmany(1.0)]
    assert named == message.tp == tp
    assert message.offset >= consumer._read_offset[tp]


async def test_a_full_queue_pauses_no_partition_of_events(consumer: Consumer) -> None:
    consumer.on_buffer_full(TP(EVENTS, 0))
    assert TP(EVENTS, 0) in consumer.active
    assert not consumer._buffered_partitions
