"""A broker for one run, with topics of the run's own: `open_broker`.

    with open_broker(settings, ["echo"]) as bench:
        bench.settings      what a worker of this run is given
        bench.topic("echo") a further topic, with as many partitions as the events have

The embedded broker is started for the run. On a real Kafka the topics get a random prefix and are
deleted at the end.
"""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from stream_rec.errors import TopicError
from stream_rec.kafka_clients import confluent_config
from stream_rec.settings import EMBEDDED, Settings, TopicSettings

ADMIN_TIMEOUT_S = 30.0


class Bench(NamedTuple):
    """Where one run happens.

    Attributes
    ----------
    settings : Settings
        With a reachable broker, and topics, group and state of the run's own.
    folder : Path
        Scratch space, removed at the end.
    """

    settings: Settings
    folder: Path

    def topic(self, name: str) -> str:
        """Return the full name of a further topic of this run."""
        return f"{self.settings.app_id}-{name}"


@contextlib.contextmanager
def open_broker(settings: Settings, further_topics: Iterable[str] = ()) -> Iterator[Bench]:
    """Make a broker ready for one run.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` is an address, or "embedded" for a broker in memory.
    further_topics : iterable of str
        Short names of topics beside the worker's five.

    Raises
    ------
    TopicError
        The topics cannot be made.
    """
    with contextlib.ExitStack() as stack:
        scratch = tempfile.TemporaryDirectory(prefix="stream-rec-bench-")
        folder = Path(stack.enter_context(scratch))
        bench = Bench(_settings_of_run(settings, folder), folder)
        topics = bench.settings.topics
        names = [*topics.names, *map(bench.topic, further_topics)]
        if settings.kafka.broker == EMBEDDED:
            from stream_rec.stream.embedded import EmbeddedBroker

            broker = EmbeddedBroker(dict.fromkeys(names, topics.partitions))
            found = {"broker": stack.enter_context(broker).address, "embedded": True}
            kafka = settings.kafka.model_copy(update=found)
            yield bench._replace(settings=bench.settings.model_copy(update={"kafka": kafka}))
        else:
            stack.enter_context(_topics_on(bench.settings, names))
            yield bench


def _settings_of_run(settings: Settings, folder: Path) -> Settings:
    run = f"bench-{uuid.uuid4().hex[:8]}"
    topics = TopicSettings(
        events=f"{run}-events",
        recommendations=f"{run}-recommendations",
        dlq=f"{run}-dlq",
        items_changelog=f"{run}-items-changelog",
        profiles_changelog=f"{run}-profiles-changelog",
        partitions=settings.topics.partitions,
        replication_factor=settings.topics.replication_factor,
        min_insync_replicas=settings.topics.min_insync_replicas,
    )
    worker = settings.worker.model_copy(update={"state_dir": folder / "state"})
    return settings.model_copy(update={"app_id": run, "topics": topics, "worker": worker})


@contextlib.contextmanager
def _topics_on(settings: Settings, names: list[str]) -> Iterator[None]:
    topics = settings.topics
    compacted = {topics.recommendations, topics.items_changelog, topics.profiles_changelog}
    asked = [
        NewTopic(
            name,
            topics.partitions,
            topics.replication_factor,
            config={
                "cleanup.policy": "compact" if name in compacted else "delete",
                "min.insync.replicas": str(topics.min_insync_replicas),
            },
        )
        for name in names
    ]
    client = AdminClient(confluent_config(settings.kafka, log_level=0))
    try:
        for answer in client.create_topics(asked, request_timeout=ADMIN_TIMEOUT_S).values():
            answer.result()
    except KafkaException as error:
        raise TopicError(
            f"expected to create topics at {settings.kafka.broker}, came: {error.args[0].str()}; "
            "is it running, and may this user create topics? Or use --broker embedded"
        ) from None
    try:
        yield
    finally:
        for answer in client.delete_topics(names, request_timeout=ADMIN_TIMEOUT_S).values():
            with contextlib.suppress(KafkaException):
                answer.result()
