"""What a worker needs to know and to do otherwise when it rebuilds a model or switches to one.

The rules are in plan.py; here Kafka is asked for the offsets that they need.
"""

from __future__ import annotations

from collections.abc import Sequence

import confluent_kafka
from confluent_kafka.admin import AdminClient

from stream_rec.errors import ConfigError, InvalidEventError, StateError
from stream_rec.kafka_clients import confluent_config
from stream_rec.model.event_time import parse_time
from stream_rec.settings import Settings
from stream_rec.stream.changelog import Headers
from stream_rec.stream.kafka_effects import KafkaEffects
from stream_rec.stream.plan import ORDINARY, Plan
from stream_rec.stream.state.offsets import KafkaOffsets

EARLIEST = "earliest"
MS_PER_S = 1_000
NOT_RUNNING = (
    confluent_kafka.ConsumerGroupState.EMPTY,
    confluent_kafka.ConsumerGroupState.DEAD,
)


class SilentEffects(KafkaEffects):
    """What a rebuild does to the world: it publishes neither lists nor dead letters."""

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Publish nothing: the application that serves has done so."""


def make_plan(settings: Settings, n_partitions: int) -> Plan:
    """Return the plan that the settings ask for; asks Kafka for offsets where it takes some.

    Raises
    ------
    ConfigError
        A setting is no time, or names this application itself.
    StateError
        The application to switch from is still running.
    """
    worker = settings.worker
    partitions = range(n_partitions)
    if worker.rebuild_from:
        return Plan(rebuilds=True, offsets=_offsets_at(settings, partitions))
    if worker.switch_from:
        if worker.switch_from == settings.app_id:
            raise ConfigError(
                f"worker.switch_from expects another application than {settings.app_id}, this one"
            )
        if not settings.kafka.embedded:
            _check_stopped(settings)
        before = settings.model_copy(update={"app_id": worker.switch_from})
        return Plan(switches_from=worker.switch_from, offsets=_committed(before, partitions))
    return ORDINARY


def time_to_rebuild_from(text: str) -> float | None:
    """Return the time in seconds that `worker.rebuild_from` says, None for all that there is.

    Raises
    ------
    ConfigError
        It is no time.
    """
    if text in ("", EARLIEST):
        return None
    try:
        return parse_time(float(text) if text.replace(".", "", 1).isdigit() else text)
    except InvalidEventError as error:
        raise ConfigError(
            f"worker.rebuild_from expects earliest or a time, came {text!r}: {error.reason}"
        ) from None


def _offsets_at(settings: Settings, partitions: Sequence[int]) -> dict[int, int]:
    time_s = time_to_rebuild_from(settings.worker.rebuild_from)
    if time_s is None:
        return {}
    offsets = KafkaOffsets(settings)
    try:
        return {p: offsets.events_since(p, round(time_s * MS_PER_S)) for p in partitions}
    finally:
        offsets.close()


def _committed(settings: Settings, partitions: Sequence[int]) -> dict[int, int]:
    offsets = KafkaOffsets(settings)
    try:
        return {partition: max(offsets.committed(partition), 0) for partition in partitions}
    finally:
        offsets.close()


def _check_stopped(settings: Settings) -> None:
    group = settings.worker.switch_from
    client = AdminClient(confluent_config(settings.kafka, log_level=0))
    described = client.describe_consumer_groups(
        [group], request_timeout=settings.kafka.request_timeout_s
    )[group].result()
    if described.state not in NOT_RUNNING:
        raise StateError(
            f"expected the workers of {group} to be stopped, came a group in state "
            f"{described.state.name} with {len(described.members)} members: two applications would "
            "publish lists; stop them, then start this one again"
        )
