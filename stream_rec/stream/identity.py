"""What a worker's state belongs to: one application, one Kafka, and topics that were created once.

Kafka gives every topic an id when it is created, so a topic that was deleted and created again has
another one under the same name. The ids are kept where the state is, and compared at start:

    STATE_FOLDER/identity.json       for what is on this worker's disk
    metadata of committed offsets    for what the group has made durable, whatever disk it was on

Both are written after the comparison; whoever finds nothing (an empty disk, a new or an expired
group) has nothing to contradict. The watermark keeps the events topic's id too (changelog.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import confluent_kafka
from confluent_kafka.admin import AdminClient

from stream_rec.errors import StateError, TopicError
from stream_rec.kafka_clients import confluent_config, confluent_consumer_config
from stream_rec.settings import Settings

FILE_NAME = "identity.json"
TOPICS = ("events", "items_changelog", "profiles_changelog")
START_ANEW = (
    "to rebuild the model from the events that are there, take another name: "
    "`stream-rec topics create --set app_id={app_id}-2`, then "
    "`stream-rec worker --set app_id={app_id}-2`"
)

COORDINATOR_MOVES = (
    confluent_kafka.KafkaError.NOT_COORDINATOR,
    confluent_kafka.KafkaError.COORDINATOR_NOT_AVAILABLE,
    confluent_kafka.KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
RETRY_S = 0.1
END = "\0"

Identity = Mapping[str, str]
"""Application, id of the Kafka cluster, and the id of each topic that state depends on."""


def read_identity(settings: Settings) -> Identity:
    """Ask Kafka for the ids of the cluster and of the topics, which must exist."""
    timeout_s = settings.kafka.request_timeout_s
    client = AdminClient(confluent_config(settings.kafka) | {"log_level": 0})
    names = {key: str(getattr(settings.topics, key)) for key in TOPICS}
    described = client.describe_topics(
        confluent_kafka.TopicCollection(list(names.values())), request_timeout=timeout_s
    )
    ids = {key: str(described[name].result().topic_id) for key, name in names.items()}
    cluster = client.list_topics(timeout=timeout_s).cluster_id
    return {"app_id": settings.app_id, "kafka": str(cluster), **ids}


def check_folder(folder: Path, settings: Settings, identity: Identity) -> None:
    """Compare a state folder with the identity, and mark the folder as ours.

    Raises
    ------
    StateError
        It belongs to something else, or cannot be written.
    """
    file = folder / FILE_NAME
    try:
        if file.exists():
            _compare_folder(folder, settings, identity, json.loads(file.read_text()))
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(dict(identity), indent=1) + "\n")
    except (OSError, ValueError) as error:
        raise StateError(
            f"expected a folder for this worker's state, came {folder}: {error}; it is a copy of "
            f"what Kafka has: `rm -r {folder}`, or use another with --set worker.state_dir=FOLDER"
        ) from error


def check_committed(settings: Settings, identity: Identity) -> None:
    """Compare the identity with what the group's committed offsets carry.

    Raises
    ------
    TopicError
        A topic was created again since.
    """
    events = settings.topics.events
    timeout_s = settings.kafka.request_timeout_s
    group = confluent_kafka.Consumer(confluent_consumer_config(settings.kafka, settings.app_id))
    try:
        partitions = group.list_topics(events, timeout=timeout_s).topics[events].partitions
        asked = [confluent_kafka.TopicPartition(events, partition) for partition in partitions]
        for committed in _committed(group, asked, timeout_s):
            if committed.offset >= 0:
                _compare_topics(settings, identity, decode_identity(_metadata(committed)))
    finally:
        group.close()


def encode_identity(identity: Identity) -> str:
    """Return the identity as metadata of a committed offset.

    It ends with a NUL, because confluent-kafka reads metadata up to one, beyond its length.
    """
    return json.dumps(dict(identity), separators=(",", ":")) + END


def decode_identity(metadata: str | None) -> Identity:
    """Read metadata of a committed offset; nothing where another tool has committed."""
    try:
        identity = json.loads((metadata or "{}").rstrip(END))
    except ValueError:
        return {}
    return identity if isinstance(identity, dict) else {}


def _committed(
    group: confluent_kafka.Consumer, asked: list[confluent_kafka.TopicPartition], timeout_s: float
) -> list[confluent_kafka.TopicPartition]:
    """Ask for committed offsets, again while the group's coordinator moves or loads."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            committed: list[confluent_kafka.TopicPartition] = group.committed(asked, timeout_s)
        except confluent_kafka.KafkaException as error:
            if error.args[0].code() not in COORDINATOR_MOVES or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
        else:
            return committed


def _metadata(committed: confluent_kafka.TopicPartition) -> str | None:
    """Return what was committed beside an offset; nothing where it is no text (see `END`)."""
    try:
        metadata: str | None = committed.metadata
    except UnicodeDecodeError:
        return None
    return metadata


def _compare_folder(folder: Path, settings: Settings, identity: Identity, stored: Identity) -> None:
    for key, owner in (("app_id", "application"), ("kafka", "Kafka cluster")):
        if stored.get(key, identity[key]) != identity[key]:
            raise StateError(
                f"expected a state folder of the {owner} {identity[key]}, came {folder}, which "
                f"belongs to {stored[key]}; use another: `stream-rec worker --set "
                "worker.state_dir=FOLDER`; or give it up: "
                f"`rm -r {folder}`"
            )
    _compare_topics(settings, identity, stored)


def _compare_topics(settings: Settings, identity: Identity, stored: Identity) -> None:
    for key in TOPICS:
        if stored.get(key, identity[key]) != identity[key]:
            raise TopicError(
                f"expected the topic {getattr(settings.topics, key)} with id {stored[key]}, which "
                f"this application's state belongs to, came id {identity[key]}: it was deleted and "
                f"created again; {START_ANEW.format(app_id=settings.app_id)}"
            )
