"""``stream-rec forget``: ask the worker to forget a user, and see that it has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options
from stream_rec.errors import DeliveryError, InvalidEventError, StateError

if TYPE_CHECKING:
    from stream_rec.config import Settings

POLL_INTERVAL_S = 0.2


@click.command(
    epilog=examples("stream-rec forget 42", "stream-rec forget 42 --delete-events --timeout 60")
)
@click.argument("user")
@click.option("--no-wait", is_flag=True, help="Do not wait until a worker has made it durable.")
@click.option(
    "--delete-events",
    is_flag=True,
    help="Delete the events of this partition up to the request too, those of its other users "
    "included: no model can be rebuilt from them any more.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    help="Seconds to wait.",
)
@common_options
@click.pass_obj
def forget(
    options: CommonOptions, user: str, no_wait: bool, delete_events: bool, timeout_s: float
) -> None:
    """Forget USER: profile and list go; what others learned from their events stays.

    The request is an event like any other and takes its turn; events that come after it count as
    those of somebody new. docs/privacy.md says what is gone when, and what remains.
    """
    if no_wait and delete_events:
        raise click.UsageError("expected not both of --no-wait and --delete-events")
    settings = options.load_settings()
    check_request(settings, user)
    partition, offset = send_request(settings, user)
    click.echo(f"asked to forget {user}: {settings.topics.events}[{partition}]@{offset}")
    if no_wait:
        return
    wait_until_committed(settings, partition, offset, timeout_s)
    click.echo("forgotten: the profile is removed and the list deleted")
    if delete_events:
        delete_up_to(settings, partition, offset)
        click.echo(f"deleted the events of partition {partition} up to the request")


def check_request(settings: Settings, user: str) -> None:
    """Refuse a request that a worker would refuse: nothing would be forgotten.

    Raises
    ------
    click.BadParameter
    """
    from stream_rec.model.events import EventDecoder
    from stream_rec.model.forgetting import forget_request

    try:
        key, value = forget_request(user)
        EventDecoder(settings.events).from_record(value, key, round(time.time() * 1000))
    except (InvalidEventError, UnicodeEncodeError) as error:
        raise click.BadParameter(f"{error}; nothing was sent", param_hint="USER") from None


def send_request(settings: Settings, user: str) -> tuple[int, int]:
    """Produce the request; return its partition and offset.

    Raises
    ------
    DeliveryError
    """
    from confluent_kafka import Producer

    from stream_rec.kafka_clients import PARTITIONER, confluent_producer_config
    from stream_rec.model.forgetting import forget_request

    reports: list[tuple[Any, Any]] = []
    producer = Producer(
        confluent_producer_config(settings.kafka, partitioner=PARTITIONER, log_level=0)
    )
    key, value = forget_request(user)
    topic = settings.topics.events
    producer.produce(topic, value, key, on_delivery=lambda *came: reports.append(came))
    producer.flush(settings.kafka.delivery_timeout_ms / 1000)
    if not reports or reports[0][0] is not None:
        came = reports[0][0].str() if reports else "no answer"
        raise DeliveryError(
            f"expected {settings.kafka.broker} to take the request on {topic}, came: {came}; "
            "nothing was forgotten; is kafka.broker right, and the topic there?"
        )
    message = reports[0][1]
    return int(message.partition()), int(message.offset())


def wait_until_committed(settings: Settings, partition: int, offset: int, timeout_s: float) -> None:
    """Wait until the group has committed beyond an event.

    Raises
    ------
    StateError
        It has not in time.
    """
    from stream_rec.stream.state.offsets import KafkaOffsets

    deadline = time.monotonic() + timeout_s
    offsets = KafkaOffsets(settings)
    try:
        while (committed := offsets.committed(partition)) <= offset:
            if time.monotonic() > deadline:
                raise StateError(
                    f"expected the workers of {settings.app_id} to commit beyond offset {offset} "
                    f"in {timeout_s:g} s, came {committed}: is one running? The request stays in "
                    "the log and is carried out when one comes to it"
                )
            time.sleep(POLL_INTERVAL_S)
    finally:
        offsets.close()


def delete_up_to(settings: Settings, partition: int, offset: int) -> None:
    """Delete the events of a partition up to and including an offset.

    Raises
    ------
    StateError
        Kafka refuses.
    """
    from confluent_kafka import KafkaException, TopicPartition
    from confluent_kafka.admin import AdminClient

    from stream_rec.kafka_clients import confluent_config

    where = TopicPartition(settings.topics.events, partition, offset + 1)
    client = AdminClient(confluent_config(settings.kafka, log_level=0))
    try:
        client.delete_records([where])[where].result()
    except KafkaException as error:
        raise StateError(
            f"expected Kafka to delete events of {where.topic}, came: {error.args[0].str()}; the "
            "topic needs cleanup.policy = delete, and you the right to delete"
        ) from None
