"""The whole pipeline with a worker process: every event is accounted for."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator

import pytest

from stream_rec.config import Settings, load_settings
from stream_rec.stream.embedded import EmbeddedBroker
from tests.stream.topics import (
    BAD_VALUE,
    accepted_events,
    committed,
    fold_events,
    make_events,
    parse_list,
    read_all,
    restore_changelogs,
    send,
    wait_for_lists,
    wait_for_messages,
    wait_until_committed,
)
from tests.stream.worker_process import WorkerProcess

N_PARTITIONS = 3
STOP_TIMEOUT_S = 5.0


class Pipeline:
    """An embedded broker, its settings, and a worker that is not started yet."""

    def __init__(self, broker: EmbeddedBroker, **options: object) -> None:
        overrides = {
            "kafka.broker": broker.address,
            "kafka.embedded": True,
            "worker.commit_interval_s": 0.5,
            "kafka.session_timeout_s": 6,
            "kafka.heartbeat_interval_s": 1,
            "kafka.delivery_timeout_ms": 5_000,
            **options,
        }
        self.broker = broker.address
        self.settings: Settings = load_settings(None, overrides)
        self.topics = self.settings.topics
        self.worker = WorkerProcess(overrides)

    def send(self, events: list) -> None:
        send(self.broker, self.topics.events, events)

    def committed(self) -> dict[int, int]:
        return committed(self.broker, self.settings.app_id, self.topics.events, N_PARTITIONS)

    def accepted(self) -> set[tuple[int, int]]:
        return accepted_events(self.broker, self.topics.events)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    names = load_settings().topics.names
    with EmbeddedBroker(dict.fromkeys(names, N_PARTITIONS)) as broker:
        pipeline = Pipeline(broker)
        with pipeline.worker:
            yield pipeline


def test_every_event_yields_one_list_or_one_dead_letter(pipeline: Pipeline) -> None:
    events = make_events(3_000, bad_every=100)
    pipeline.send(events)
    pipeline.worker.wait_until_ready()
    lists = wait_for_messages(pipeline.broker, pipeline.topics.recommendations, 2_970)
    dead = wait_for_messages(pipeline.broker, pipeline.topics.dlq, 30)

    answered = sorted((one.partition, one.offset) for one in map(parse_list, lists))
    assert answered == sorted(pipeline.accepted())
    assert all(json.loads(one.value())["user"] == one.key().decode() for one in lists)
    bad = [one for one in read_all(pipeline.broker, "events") if one.value() == BAD_VALUE]
    assert sorted(map(describe_dead_letter, dead)) == sorted(
        (one.key(), one.value(), dict(one.headers())["number"], one.partition(), one.offset())
        for one in bad
    )

    started_at = time.monotonic()
    pipeline.worker.signal(signal.SIGTERM)
    assert pipeline.worker.wait() == 0, pipeline.worker.log
    assert time.monotonic() - started_at < STOP_TIMEOUT_S
    ends = [sum(1 for p, _ in pipeline.accepted() if p == n) for n in range(N_PARTITIONS)]
    assert sum(pipeline.committed().values()) == sum(ends) + 30


def describe_dead_letter(message: object) -> tuple:
    headers = dict(message.headers())
    assert headers["dlq-code"] == b"not_json"
    assert headers["dlq-source-topic"] == b"events"
    return (
        message.key(),
        message.value(),
        headers["number"],
        int(headers["dlq-source-partition"]),
        int(headers["dlq-source-offset"]),
    )


def test_killed_worker_goes_on_where_its_changelogs_end(pipeline: Pipeline) -> None:
    pipeline.send(make_events(2_000))
    pipeline.worker.wait_until_ready()
    wait_for_messages(pipeline.broker, pipeline.topics.recommendations, 100)
    pipeline.worker.kill()
    pipeline.worker.start()
    wait_for_lists(pipeline.broker, pipeline.topics.recommendations, pipeline.accepted())
    wait_until_committed(pipeline.broker, pipeline.settings.app_id, "events", N_PARTITIONS)
    pipeline.worker.signal(signal.SIGINT)
    assert pipeline.worker.wait() == 0, pipeline.worker.log

    folded = fold_events(read_all(pipeline.broker, "events"), N_PARTITIONS)
    assert restore_changelogs(pipeline.settings, pipeline.broker) == folded


def test_stats_are_served_as_json() -> None:
    names = load_settings().topics.names
    with EmbeddedBroker(dict.fromkeys(names, N_PARTITIONS)) as broker:
        port = free_port()
        options = {"worker.web_enabled": True, "worker.web_port": port}
        pipeline = Pipeline(broker, **options)
        pipeline.send(make_events(500, bad_every=10))
        with pipeline.worker:
            pipeline.worker.wait_until_ready()
            wait_for_messages(pipeline.broker, pipeline.topics.recommendations, 450)
            wait_for_messages(pipeline.broker, pipeline.topics.dlq, 50)
            stats = json.loads(read_page(f"http://127.0.0.1:{port}/stats"))
            metrics = read_page(f"http://127.0.0.1:{port}/metrics")
    assert (stats["events"], stats["lists"], stats["refused"]) == (500, 450, {"not_json": 50})
    assert [one["partition"] for one in stats["partitions"]] == list(range(N_PARTITIONS))
    assert all(one["lag"] == 0 for one in stats["partitions"])
    assert 'stream_rec_worker_refused_total{code="not_json"} 50.0' in metrics.decode()


def test_worker_whose_broker_goes_away_ends_with_an_error() -> None:
    names = load_settings().topics.names
    with EmbeddedBroker(dict.fromkeys(names, N_PARTITIONS)) as broker:
        pipeline = Pipeline(broker, **{"kafka.delivery_timeout_ms": 2_000})
        with pipeline.worker:
            pipeline.worker.wait_until_ready()
            pipeline.send(make_events(3_000))
            wait_for_messages(pipeline.broker, pipeline.topics.recommendations, 1)
            broker.stop()
            assert pipeline.worker.wait() == 1
            assert "this worker stops" in pipeline.worker.log


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port: int = unused.getsockname()[1]
        return port


def read_page(url: str) -> bytes:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.read()
        except OSError:
            # The web server starts a moment after the first partitions are served.
            if time.monotonic() > deadline:
                raise
