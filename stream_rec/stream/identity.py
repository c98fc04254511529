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
import os
from collections.abc import Mapping
from pathlib import Path

import confluent_kafka
from confluent_kafka.admin import AdminClient

from stream_rec.errors import StateError, TopicError
from stream_rec.kafka_clients import confluent_config, confluent_consumer_config
from stream_rec.settings import Settings
from stream_rec.stream.asking import ATTEMPT_TIMEOUT_S, ask

FILE_NAME = "identity.json"
TOPICS = ("events", "items_changelog", "profiles_changelog")
START_ANEW = (
    "to rebuild the model from the events that are there, take another name: "
    "`stream-rec topics create --set app_id={app_id}-2`, then "
    "`stream-rec worker --set app_id={app_id}-2`"
)

END = "\0"

Identity = Mapping[str, str]
"""Application, id of the Kafka cluster, and the id of each topic that state depends on."""


def read_identity(settings: Settings) -> Identity:
    """Ask Kafka for the ids of the cluster and of the topics, which must exist.

    Raises
    ------
    KafkaUnreachableError
        No broker answered in time.
    """
    return ask(
        lambda: _read_identity(settings), settings.kafka.broker, settings.kafka.request_timeout_s
    )


def _read_identity(settings: Settings) -> Identity:
    client = AdminClient(confluent_config(settings.kafka) | {"log_level": 0})
    names = {key: str(getattr(settings.topics, key)) for key in TOPICS}
    described = client.describe_topics(
        confluent_kafka.TopicCollection(list(names.values())), request_timeout=ATTEMPT_TIMEOUT_S
    )
    ids = {key: str(described[name].result().topic_id) for key, name in names.items()}
    cluster = client.list_topics(timeout=ATTEMPT_TIMEOUT_S).cluster_id
    return {"app_id": settings.app_id, "kafka": str(cluster), **ids}


def check_folder(folder: Path, settings: Settings, identity: Identity) -> None:
    """Compare a state folder with the identity, and mark the folder as ours.

    Raises
    ------
    StateError
        It belongs to something else, or cannot be written.
    """
    try:
        stored = read_folder(folder) if (folder / FILE_NAME).exists() else None
        if stored is not None:
            _compare_folder(folder, settings, identity, stored)
        if stored != dict(identity):
            folder.mkdir(parents=True, exist_ok=True)
            write_folder(folder, identity)
    except (OSError, ValueError) as error:
        raise StateError(
            f"expected a folder for this worker's state, came {folder}: {error}; it is a copy of "
            f"what Kafka has: `rm -r {folder}`, or use another with --set worker.state_dir=FOLDER"
        ) from error


def read_folder(folder: Path) -> dict[str, str]:
    """Return what a state folder says that it belongs to.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        It is damaged.
    """
    text = (folder / FILE_NAME).read_text()
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{FILE_NAME} is damaged: {error}") from None
    expected = ("app_id", "kafka", *TOPICS)
    if not isinstance(stored, dict) or not all(isinstance(stored.get(k), str) for k in expected):
        raise ValueError(
            f"{FILE_NAME} is damaged: expected an object with texts as {', '.join(expected)}, "
            f"came {text!r:.200}"
        )
    return stored


def write_folder(folder: Path, identity: Identity) -> None:
    """Write what a state folder belongs to; after an error the file is as it was.

    Raises
    ------
    OSError
        It cannot be written.
    """
    part = folder / f"{FILE_NAME}.part"
    try:
        with part.open("w") as file:
            file.write(json.dumps(dict(identity), indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / FILE_NAME)
    finally:
        part.unlink(missing_ok=True)


def check_committed(settings: Settings, identity: Identity) -> None:
    """Compare the identity with what the group's committed offsets carry.

    Raises
    ------
    TopicError
        A topic was created again since.
    KafkaUnreachableError
        No broker answered in time.
    """
    kafka = settings.kafka
    group = confluent_kafka.Consumer(confluent_consumer_config(kafka, settings.app_id))
    try:
        for committed in ask(
            lambda: _committed(group, settings.topics.events), kafka.broker, kafka.request_timeout_s
        ):
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


def _committed(group: confluent_kafka.Consumer, topic: str) -> list[confluent_kafka.TopicPartition]:
    listed = group.list_topics(topic, timeout=ATTEMPT_TIMEOUT_S)
    asked = [confluent_kafka.TopicPartition(topic, one) for one in listed.topics[topic].partitions]
    committed: list[confluent_kafka.TopicPartition] = group.committed(asked, ATTEMPT_TIMEOUT_S)
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
