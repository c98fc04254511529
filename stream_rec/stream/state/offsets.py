"""How far Kafka's topics and the group go, to compare a state with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import confluent_kafka
from confluent_kafka import KafkaException

from stream_rec.errors import StateError
from stream_rec.kafka_clients import confluent_consumer_config
from stream_rec.settings import Settings
from stream_rec.stream.changelog import ITEMS, PROFILES


class OffsetsError(StateError, KafkaException):
    """Kafka does not tell its offsets: for people, and for those who wait until it does."""


class Offsets(Protocol):
    """What there is in Kafka."""

    def changelog_end(self, table: str, partition: int) -> int:
        """Return the offset that the next record of a changelog will get."""

    def events_range(self, partition: int) -> tuple[int, int]:
        """Return the first offset that exists and the next that will, in the events topic."""

    def committed(self, partition: int) -> int:
        """Return the offset that the group has committed, −1 if none."""


def lag_of(first: int, end: int, committed: int) -> int:
    """Count the events of a partition that are not committed; all there are where none was (−1).

    Examples
    --------
    >>> lag_of(first=10, end=15, committed=12), lag_of(first=10, end=15, committed=-1)
    (3, 5)
    """
    return max(0, end - max(first, committed))


class KafkaOffsets:
    """`Offsets` of the topics in the settings; close it afterwards.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    OffsetsError
        From every question, where Kafka does not answer in time or refuses.
    """

    def __init__(self, settings: Settings) -> None:
        self._broker = settings.kafka.broker
        self._timeout_s = settings.kafka.request_timeout_s
        self._events = settings.topics.events
        topics = settings.topics
        self._changelogs = {ITEMS: topics.items_changelog, PROFILES: topics.profiles_changelog}
        self._client = confluent_kafka.Consumer(
            confluent_consumer_config(settings.kafka, settings.app_id, log_level=0)
        )

    def changelog_end(self, table: str, partition: int) -> int:
        """Return the offset that the next record of a changelog will get."""
        return self._range(self._changelogs[table], partition)[1]

    def events_range(self, partition: int) -> tuple[int, int]:
        """Return the first offset that exists and the next that will, in the events topic."""
        return self._range(self._events, partition)

    def events_since(self, partition: int, time_ms: int) -> int:
        """Return the offset of the first event with this Kafka timestamp or a later one."""
        asked = [confluent_kafka.TopicPartition(self._events, partition, time_ms)]
        with self._told(self._events):
            found = int(self._client.offsets_for_times(asked, self._timeout_s)[0].offset)
        return found if found >= 0 else self.events_range(partition)[1]

    def committed(self, partition: int) -> int:
        """Return the offset that the group has committed, −1 if none."""
        asked = [confluent_kafka.TopicPartition(self._events, partition)]
        with self._told(self._events):
            answer = self._client.committed(asked, self._timeout_s)[0]
        return max(int(answer.offset), -1)

    def close(self) -> None:
        """Leave Kafka."""
        self._client.close()

    def _range(self, topic: str, partition: int) -> tuple[int, int]:
        where = confluent_kafka.TopicPartition(topic, partition)
        with self._told(topic):
            first, end = self._client.get_watermark_offsets(where, self._timeout_s, cached=False)
        return int(first), int(end)

    @contextmanager
    def _told(self, topic: str) -> Iterator[None]:
        """Turn an error of Kafka into one that says what to do."""
        try:
            yield
        except KafkaException as error:
            raise OffsetsError(
                f"expected Kafka at {self._broker} to tell offsets of {topic}, came: "
                f"{error.args[0].str()}; is it running, and are kafka.broker and the security "
                "settings right?"
            ) from None
