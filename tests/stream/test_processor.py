"""The hot path: what is folded, published, refused, repeated, and asked for again."""

from __future__ import annotations

import asyncio
import json
from typing import NamedTuple

import pytest

from stream_rec.errors import StateError
from stream_rec.settings import TopicSettings
from stream_rec.stream.batches import RecordBatch
from stream_rec.stream.commit_schedule import CommitSchedule
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.processor import Processor
from stream_rec.stream.stats import Stats
from tests.stream.fake_engine import FakeEngine, ItemRow, ProfileRow

N_PARTITIONS = 3


class Record(NamedTuple):
    offset: int
    value: bytes | None
    key: bytes | None = b"u1"
    timestamp: int = 1_000
    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = "events"
    partition: int = 0


class Sent(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list


class RecordingEffects:
    """Keeps what is sent; lets other tasks run in between, as a full queue would."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    async def stand_aside(self) -> None:
        await asyncio.sleep(0)

    async def publish(self, *record: object) -> None:
        await asyncio.sleep(0)
        self.sent.append(Sent(*record))


def event(offset: int, user: str = "u1") -> Record:
    return Record(offset, json.dumps({"user": user, "item": f"i{offset % 3}"}).encode())


def batch(first: int, last: int, start: int | None = None, partition: int = 0) -> RecordBatch:
    user = f"u{partition + 1}"
    records = [
        event(offset, user)._replace(partition=partition) for offset in range(first, last + 1)
    ]
    return RecordBatch(records, first if start is None else start)


@pytest.fixture
def publisher() -> RecordingEffects:
    return RecordingEffects()


@pytest.fixture
def processor(publisher: RecordingEffects) -> Processor:
    profiles = FrozenProfiles(lambda partition, keys: [None] * len(keys))
    engine = FakeEngine(N_PARTITIONS, profiles.read)
    for partition in range(N_PARTITIONS):
        engine.open_partition(partition)
    stats = Stats(lambda: 2.0)
    schedule = CommitSchedule(1, 1000)
    processor = Processor(
        engine, profiles, publisher, TopicSettings(), stats, schedule, rows_per_part=2
    )
    for partition in range(N_PARTITIONS):
        processor.open(partition, 0)
    processor.stats = stats
    processor.profiles = profiles
    return processor


def offsets(sent: list[Sent]) -> list[int]:
    return [json.loads(one.value)["offset"] for one in sent if one.topic == "recommendations"]


async def test_each_event_gets_one_list_with_headers(
    processor: Processor, publisher: RecordingEffects
) -> None:
    assert await processor.process([batch(0, 4)]) == {}
    assert offsets(publisher.sent) == [0, 1, 2, 3, 4]
    assert publisher.sent[0].key == b"u1"
    assert publisher.sent[0].headers == [
        ("content-type", b"application/json"),
        ("schema-version", b"1"),
    ]


async def test_refused_record_goes_to_the_dead_letters_untouched(
    processor: Processor, publisher: RecordingEffects
) -> None:
    bad = Record(1, b"\xff not json", b"\x00key", headers=(("mine", b"1"),))
    await processor.process([RecordBatch([event(0), bad], 0)])
    dead = publisher.sent[-1]
    assert (dead.topic, dead.key, dead.value) == ("events.dlq", b"\x00key", b"\xff not json")
    assert dead.headers[:6] == [
        ("mine", b"1"),
        ("dlq-code", b"not_json"),
        ("dlq-reason", b"expected a user and an item"),
        ("dlq-source-topic", b"events"),
        ("dlq-source-partition", b"0"),
        ("dlq-source-offset", b"1"),
    ]
    assert [name for name, _ in dead.headers[6:]] == ["dlq-time-ms"]
    assert processor.stats.refused == {"not_json": 1}


async def test_repeated_records_are_left_out(
    processor: Processor, publisher: RecordingEffects
) -> None:
    await processor.process([batch(0, 3)])
    await processor.process([batch(2, 5)])
    await processor.process([batch(0, 5)])
    assert offsets(publisher.sent) == [0, 1, 2, 3, 4, 5]
    assert processor.stats.n_repeated == 2 + 6


async def test_batch_after_a_lost_one_is_dropped_and_asked_for_again(
    processor: Processor, publisher: RecordingEffects
) -> None:
    await processor.process([batch(0, 1)])
    assert await processor.process([batch(4, 5)]) == {0: 2}
    assert await processor.process([batch(2, 5)]) == {}
    assert offsets(publisher.sent) == [0, 1, 2, 3, 4, 5]


async def test_each_partition_of_a_message_is_judged_by_itself(
    processor: Processor, publisher: RecordingEffects
) -> None:
    await processor.process([batch(0, 1), batch(0, 2, partition=2)])
    processor.end(1)
    lost = await processor.process(
        [batch(5, 6), batch(0, 1, partition=1), batch(1, 4, partition=2)]
    )
    assert lost == {0: 2}
    assert processor.next_offsets == {0: 2, 1: 0, 2: 5}
    assert offsets(publisher.sent) == [0, 1, 0, 1, 2, 3, 4]
    assert (processor.stats.n_rewinds, processor.stats.n_repeated) == (1, 2)
    assert (processor.stats.n_events, processor.stats.n_lists) == (7, 7)
    assert (await processor.freeze(2)).offset == 4


async def test_freeze_of_one_partition_never_sees_lists_of_another_unpublished(
    processor: Processor, publisher: RecordingEffects
) -> None:
    processing = asyncio.create_task(processor.process([batch(0, 4), batch(0, 4, partition=1)]))
    await asyncio.sleep(0)
    assert (await processor.freeze(1)).offset == 4
    assert offsets(publisher.sent) == [0, 1, 2, 3, 4] * 2
    await processing


async def test_offsets_that_do_not_exist_are_no_loss(
    processor: Processor, publisher: RecordingEffects
) -> None:
    await processor.process([batch(0, 1)])
    assert await processor.process([batch(4, 5, start=2)]) == {}
    assert offsets(publisher.sent) == [0, 1, 4, 5]


async def test_batch_of_a_partition_that_was_given_up_is_dropped(
    processor: Processor, publisher: RecordingEffects
) -> None:
    await processor.close(0)
    assert await processor.process([batch(0, 1)]) == {}
    assert publisher.sent == []


async def test_freeze_of_a_partition_that_was_given_up_is_refused(processor: Processor) -> None:
    await processor.close(0)
    with pytest.raises(StateError, match="given up meanwhile"):
        await processor.freeze(0)


async def test_freeze_never_sees_a_batch_that_is_not_published(
    processor: Processor, publisher: RecordingEffects
) -> None:
    processing = asyncio.create_task(processor.process([batch(0, 9)]))
    await asyncio.sleep(0)
    frozen = await processor.freeze(0)
    assert frozen.offset == 9
    assert offsets(publisher.sent) == list(range(10))
    await processing


async def run_to_the_first_part() -> None:
    """Let a freeze that was begun stand aside, and take its first part."""
    for _ in range(2):
        await asyncio.sleep(0)


async def test_freeze_stands_aside_also_where_nothing_has_changed(processor: Processor) -> None:
    n_turns = 0

    async def count_turns() -> None:
        nonlocal n_turns
        while True:
            n_turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    for partition in range(N_PARTITIONS):
        await processor.freeze(partition)
    counting.cancel()
    assert n_turns >= N_PARTITIONS


async def test_events_pass_between_the_parts_of_a_freeze(
    processor: Processor, publisher: RecordingEffects
) -> None:
    await processor.process([RecordBatch([event(0, "a"), event(1, "b"), event(2, "c")], 0)])
    freezing = asyncio.create_task(processor.freeze(0))
    await run_to_the_first_part()
    await processor.process([RecordBatch([event(3, "d"), event(4, "c")], 3)])
    assert not freezing.done()
    frozen = await freezing
    assert frozen.offset == 2
    profiles = {key: ProfileRow.decode(row) for key, row in frozen.profiles}
    assert {key: row.applied for key, row in profiles.items()} == {b"u:a": 0, b"u:b": 1, b"u:c": 2}
    assert max(ItemRow.decode(row).applied for _, row in frozen.items) == 4
    assert processor.profiles.read(0, [b"u:a", b"u:d"]) == [dict(frozen.profiles)[b"u:a"], None]


async def test_partition_that_is_given_up_between_two_parts_of_a_freeze_is_refused(
    processor: Processor,
) -> None:
    await processor.process([RecordBatch([event(0, "a"), event(1, "b"), event(2, "c")], 0)])
    freezing = asyncio.create_task(processor.freeze(0))
    await run_to_the_first_part()
    await processor.close(0)
    with pytest.raises(StateError, match="given up meanwhile"):
        await freezing


async def test_frozen_profile_is_read_as_it_is_until_its_store_has_it(
    processor: Processor,
) -> None:
    await processor.process([batch(0, 1)])
    frozen = dict((await processor.freeze(0)).profiles)
    assert processor.profiles.read(0, [b"u:u2", b"u:u1"]) == [None, frozen[b"u:u1"]]
    await processor.freeze(0)
    assert processor.profiles.read(0, [b"u:u1"]) == [None]


async def test_frozen_profile_is_forgotten_with_its_partition(processor: Processor) -> None:
    await processor.process([batch(0, 1)])
    await processor.freeze(0)
    await processor.close(0)
    assert processor.profiles.read(0, [b"u:u1"]) == [None]


async def test_commit_is_due_after_many_events() -> None:
    schedule = CommitSchedule(interval_s=3600, events_max=10)
    waiting = asyncio.create_task(schedule.wait())
    await asyncio.sleep(0)
    schedule.count(9)
    await asyncio.sleep(0)
    assert not waiting.done()
    schedule.count(1)
    async with asyncio.timeout(5):
        await waiting


async def test_commit_is_due_after_the_interval() -> None:
    async with asyncio.timeout(5):
        await CommitSchedule(interval_s=0.001, events_max=10).wait()


async def test_a_list_carries_the_trace_of_its_event_and_no_other_header(
    processor: Processor, publisher: RecordingEffects
) -> None:
    trace = (("traceparent", b"00-a-b-01"), ("tracestate", b"shop=1"))
    records = [
        event(0)._replace(headers=(("source", b"app"), *trace)),
        event(1),
        event(2)._replace(headers=(("source", b"app"),)),
    ]
    await processor.process([RecordBatch(records, 0)])
    own = [
        dict(sent.headers).keys() - {"content-type", "schema-version"} for sent in publisher.sent
    ]
    assert own == [{"traceparent", "tracestate"}, set(), set()]
    assert set(trace) <= set(publisher.sent[0].headers)
