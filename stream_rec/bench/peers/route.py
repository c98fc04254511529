"""What a forwarding peer is told: where from, where to, and as which group."""

from __future__ import annotations

from typing import NamedTuple

from stream_rec.settings import KafkaSettings


class Route(NamedTuple):
    """One way through Kafka.

    Attributes
    ----------
    kafka : KafkaSettings
    source, target, group_id : str
        Topics, and the consumer group to join.
    """

    kafka: KafkaSettings
    source: str
    target: str
    group_id: str
