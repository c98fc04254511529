"""What tests write to and read from Kafka, and the fold that a pipeline must arrive at."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from stream_rec.model.runs import Run
from stream_rec.settings import Settings
from stream_rec.stream.asking import ATTEMPT_TIMEOUT_S, ask
from stream_rec.stream.changelog import ITEMS, PROFILES, RESERVED_PREFIX, Position, decode_epoch
from stream_rec.stream.effects import LogRecord
from stream_rec.stream.fence import ValidPrefix
from tests.stream.fake_engine import FakeEngine

READ_TIMEOUT_S = 60.0
BAD_VALUE = b"not an event"


class Event(NamedTuple):
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0


class PublishedList(NamedTuple):
    partition: int
    offset: int
    n_events: int


def make_events(n_events: int, n_users: int = 50, n_items: int = 37, bad_every: int = 0) -> list:
    """Return (key, value) of events that walk through users and items."""
    return [
        (
            f"u{number % n_users}".encode(),
            BAD_VALUE
            if bad_every and number % bad_every == 0
            else json.dumps(
                {"user": f"u{number % n_users}", "item": f"i{number * 7 % n_items}"}
            ).encode(),
        )
        for number in range(n_events)
    ]


def send(
    broker: str,
    topic: str,
    events: Iterable[tuple[bytes, bytes]],
    partitioner: str = "consistent_random",
) -> None:
    """Produce events and wait until they are acknowledged."""
    options = {"enable.idempotence": True, "partitioner": partitioner}
    producer = Producer({"bootstrap.servers": broker, **options})
    for number, (key, value) in enumerate(events):
        producer.produce(topic, value, key, headers=[("number", str(number).encode())])
        producer.poll(0)
    assert producer.flush(READ_TIMEOUT_S) == 0


def read_all(broker: str, topic: str) -> list[Message]:
    """Read a topic from its beginning to its present end."""
    consumer = _consumer(broker)
    messages = []
    for partition in _partitions(consumer, broker, topic):
        where = TopicPartition(topic, partition, 0)
        end = _end(consumer, broker, where)
        consumer.assign([where])
        messages += _read_until(consumer, where, end)
    consumer.close()
    return messages


def wait_for_messages(broker: str, topic: str, n_messages: int) -> list[Message]:
    """Follow a topic until it has at least that many messages, then read all of it."""
    n_seen = 0
    with contextlib.closing(_follow(broker, topic)) as messages:
        while n_seen < n_messages:
            next(messages)
            n_seen += 1
    return read_all(broker, topic)


def wait_for_lists(broker: str, topic: str, events: Iterable[tuple[int, int]]) -> int:
    """Follow the lists until each event (partition, offset) has one; return how many there were."""
    missing = set(events)
    n_seen = 0
    with contextlib.closing(_follow(broker, topic)) as messages:
        while missing:
            one = parse_list(next(messages))
            missing.discard((one.partition, one.offset))
            n_seen += 1
    return n_seen


def accepted_events(broker: str, topic: str) -> set[tuple[int, int]]:
    """Return partition and offset of each event that deserves a list."""
    return {
        (message.partition(), message.offset())
        for message in read_all(broker, topic)
        if message.value() != BAD_VALUE
    }


def _follow(broker: str, topic: str) -> Iterator[Message]:
    """Yield the messages of a topic from its beginning, waiting for more a limited time."""
    consumer = _consumer(broker)
    partitions = _partitions(consumer, broker, topic)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    deadline = time.monotonic() + READ_TIMEOUT_S
    try:
        while time.monotonic() < deadline:
            for message in consumer.consume(1000, 0.1):
                if message.error() is None:
                    deadline = time.monotonic() + READ_TIMEOUT_S
                    yield message
    finally:
        consumer.close()
    raise AssertionError(f"{topic}: nothing more for {READ_TIMEOUT_S:.0f} s")


def committed(broker: str, group: str, topic: str, n_partitions: int) -> dict[int, int]:
    """Return the offsets that a group has committed."""
    with _group_view(broker, group) as consumer:
        return _committed(consumer, broker, topic, n_partitions)


def wait_until_committed(broker: str, group: str, topic: str, n_partitions: int) -> None:
    """Wait until a group has committed the present ends of a topic, as long as it gets on."""
    most, deadline = -1, 0.0
    with _group_view(broker, group) as consumer:
        ends = {
            partition: _end(consumer, broker, TopicPartition(topic, partition))
            for partition in range(n_partitions)
        }
        while (offsets := _committed(consumer, broker, topic, n_partitions)) != ends:
            if sum(offsets.values()) > most:
                most, deadline = sum(offsets.values()), time.monotonic() + READ_TIMEOUT_S
            assert time.monotonic() < deadline, f"committed {offsets} of {ends}"


def _partitions(consumer: Consumer, broker: str, topic: str) -> list[int]:
    def listed() -> list[int]:
        found = consumer.list_topics(topic, timeout=ATTEMPT_TIMEOUT_S).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return sorted(found.partitions)

    return ask(listed, broker, READ_TIMEOUT_S)


def _end(consumer: Consumer, broker: str, where: TopicPartition) -> int:
    ends = ask(
        lambda: consumer.get_watermark_offsets(where, ATTEMPT_TIMEOUT_S), broker, READ_TIMEOUT_S
    )
    return ends[1]


def _committed(consumer: Consumer, broker: str, topic: str, n_partitions: int) -> dict[int, int]:
    asked = [TopicPartition(topic, partition) for partition in range(n_partitions)]
    answers = ask(lambda: consumer.committed(asked, ATTEMPT_TIMEOUT_S), broker, READ_TIMEOUT_S)
    return {answer.partition: answer.offset for answer in answers if answer.offset >= 0}


@contextlib.contextmanager
def _group_view(broker: str, group: str) -> Iterator[Consumer]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        yield consumer
    finally:
        consumer.close()


def parse_list(message: Message) -> PublishedList:
    value = json.loads(message.value())
    return PublishedList(value["partition"], value["offset"], value["n"])


def fold_events(messages: Iterable[Message], n_partitions: int) -> dict[str, dict]:
    """Return the rows of an uninterrupted fold, by table, partition and key."""
    engine = FakeEngine(n_partitions, lambda partition, keys: [None] * len(keys))
    rows: dict[str, dict] = {ITEMS: {}, PROFILES: {}}
    for partition in range(n_partitions):
        engine.open_partition(partition)
        events = [
            Event(message.offset(), message.key(), message.value())
            for message in messages
            if message.partition() == partition
        ]
        engine.process([Run(partition, events)], 0)
        frozen = engine.freeze(partition)
        rows[ITEMS] |= {(partition, key): row for key, row in frozen.items}
        rows[PROFILES] |= {(partition, key): row for key, row in frozen.profiles}
    return rows


def restore_changelogs(settings: Settings, broker: str) -> dict[str, dict]:
    """Return the rows that a worker with an empty disk would restore."""
    topics = {
        ITEMS: settings.topics.items_changelog,
        PROFILES: settings.topics.profiles_changelog,
    }
    rows: dict[str, dict] = {}
    for table, topic in topics.items():
        prefixes: dict[int, ValidPrefix] = {}
        rows[table] = {}
        for message in read_all(broker, topic):
            prefix = prefixes.setdefault(message.partition(), ValidPrefix(Position()))
            accepted = prefix.accept([_to_record(message)])
            rows[table] |= {
                (message.partition(), key): row
                for key, row in accepted.items()
                if not key.startswith(RESERVED_PREFIX)
            }
    return rows


def read_epochs(broker: str, topic: str) -> list[int]:
    """Return the epoch of each record of a changelog, in order."""
    return [decode_epoch(message.headers()) for message in read_all(broker, topic)]


def _to_record(message: Message) -> LogRecord:
    return LogRecord(
        message.offset(), message.key(), message.value(), decode_epoch(message.headers())
    )


def _consumer(broker: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "unused",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 5,
        }
    )


def _read_until(consumer: Consumer, where: TopicPartition, end: int) -> list[Message]:
    deadline = time.monotonic() + READ_TIMEOUT_S
    messages: list[Message] = []
    position = 0
    while position < end:
        assert time.monotonic() < deadline, f"{where.topic}: at {position} of {end}"
        for message in consumer.consume(min(end - position, 10_000), 0.1):
            position = max(position, message.offset() + (message.error() is None))
            if message.error() is None:
                messages.append(message)
    return messages
