"""What Kafka says of an application: its group, how far each partition is, how fast it goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import confluent_kafka
from confluent_kafka.admin import AdminClient, OffsetSpec

from stream_rec.errors import StateError
from stream_rec.kafka_clients import confluent_config
from stream_rec.settings import Settings
from stream_rec.stream.asking import ATTEMPT_TIMEOUT_S, ask
from stream_rec.stream.state.offsets import lag_of


class Member(NamedTuple):
    """A worker, as its group knows it."""

    member_id: str
    host: str
    partitions: tuple[int, ...]


@dataclass(frozen=True)
class PartitionStatus:
    """A partition of the events topic.

    Attributes
    ----------
    first, end : int
        Offset of the first event that exists, and of the next that will.
    committed : int or None
        By the group; None if it never has.
    lag : int
        Events that are not committed; all that exist where nothing was.
    member_id : str or None
        Whom the group has given it to.
    """

    partition: int
    first: int
    end: int
    committed: int | None
    lag: int
    member_id: str | None


@dataclass(frozen=True)
class GroupStatus:
    """An application at one moment; rates are over the seconds between two looks at the ends.

    Attributes
    ----------
    state : str
        Of the group: STABLE, EMPTY, …
    members : sequence of Member
    partitions : sequence of PartitionStatus
    n_records : Mapping[str, int]
        Offsets in use, by topic: an upper bound of its records (compaction leaves gaps).
    per_s : Mapping[str, float]
        New records per second, by topic.
    """

    state: str
    members: Sequence[Member]
    partitions: Sequence[PartitionStatus]
    n_records: Mapping[str, int]
    per_s: Mapping[str, float]

    @property
    def lag(self) -> int:
        """Events that the group has not committed."""
        return sum(one.lag for one in self.partitions)

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        members = [member._asdict() for member in self.members]
        return asdict(self) | {"members": members, "lag": self.lag}


EARLIEST, LATEST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]

Ends = Mapping[str, Mapping[int, int]]
"""Offsets by topic and partition."""


def look_at_group(settings: Settings, seconds: float) -> GroupStatus:
    """Ask Kafka, twice for the rates.

    Parameters
    ----------
    settings : Settings
    seconds : float
        Between the two looks.

    Raises
    ------
    KafkaUnreachableError
        No broker answered in time.
    StateError
        A topic is not there.
    """
    kafka = settings.kafka
    return ask(lambda: _look(settings, seconds), kafka.broker, kafka.request_timeout_s)


def status_of_partitions(
    firsts: Mapping[int, int],
    ends: Mapping[int, int],
    committed: Mapping[int, int],
    owners: Mapping[int, str],
) -> list[PartitionStatus]:
    """Put together what is known of each partition."""
    return [
        PartitionStatus(
            partition,
            first := firsts[partition],
            ends[partition],
            committed.get(partition),
            lag_of(first, ends[partition], committed.get(partition, -1)),
            owners.get(partition),
        )
        for partition in sorted(ends)
    ]


def _look(settings: Settings, seconds: float) -> GroupStatus:
    client = AdminClient(confluent_config(settings.kafka, log_level=0))
    described = client.describe_consumer_groups(
        [settings.app_id], request_timeout=ATTEMPT_TIMEOUT_S
    )
    group = described[settings.app_id].result()
    members = [
        Member(
            member.member_id,
            member.host.removeprefix("/"),
            tuple(sorted(one.partition for one in member.assignment.topic_partitions)),
        )
        for member in group.members
    ]
    partitions = _partitions(client, settings.topics.names)
    before, before_s = _offsets(client, partitions, LATEST), time.monotonic()
    time.sleep(seconds)
    ends, passed_s = _offsets(client, partitions, LATEST), time.monotonic() - before_s
    firsts = _offsets(client, partitions, EARLIEST)
    events = settings.topics.events
    return GroupStatus(
        state=group.state.name,
        members=members,
        partitions=status_of_partitions(
            firsts[events],
            ends[events],
            _committed(client, settings, ends[events]),
            {p: member.member_id for member in members for p in member.partitions},
        ),
        n_records={topic: _sum(ends[topic]) - _sum(firsts[topic]) for topic in ends},
        per_s={topic: (_sum(ends[topic]) - _sum(before[topic])) / passed_s for topic in ends},
    )


def _partitions(client: AdminClient, topics: Sequence[str]) -> list[confluent_kafka.TopicPartition]:
    found = client.list_topics(timeout=ATTEMPT_TIMEOUT_S).topics
    if missing := [topic for topic in topics if topic not in found]:
        raise StateError(
            f"expected the topics of this application, {', '.join(missing)} are not there; "
            "`stream-rec topics create` makes them; are app_id and kafka.broker right?"
        )
    return [
        confluent_kafka.TopicPartition(topic, partition)
        for topic in topics
        for partition in found[topic].partitions
    ]


def _offsets(
    client: AdminClient, partitions: Iterable[confluent_kafka.TopicPartition], spec: OffsetSpec
) -> Ends:
    wanted = dict.fromkeys(partitions, spec)
    offsets: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for where, answer in client.list_offsets(wanted, request_timeout=ATTEMPT_TIMEOUT_S).items():
        offsets[where.topic][where.partition] = answer.result().offset
    return offsets


def _committed(
    client: AdminClient, settings: Settings, partitions: Iterable[int]
) -> dict[int, int]:
    events = settings.topics.events
    asked = confluent_kafka.ConsumerGroupTopicPartitions(
        settings.app_id,
        [confluent_kafka.TopicPartition(events, partition) for partition in partitions],
    )
    answer = client.list_consumer_group_offsets([asked], request_timeout=ATTEMPT_TIMEOUT_S)
    found = answer[settings.app_id].result().topic_partitions
    return {one.partition: one.offset for one in found if one.offset >= 0}


def _sum(offsets: Mapping[int, int]) -> int:
    return sum(offsets.values())
