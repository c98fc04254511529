"""A model is rebuilt beside the one that serves, and takes its place without losing a list."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from stream_rec.config import load_settings
from stream_rec.stream.embedded import EmbeddedBroker
from tests.embedded.test_pipeline import N_PARTITIONS, Pipeline
from tests.stream.topics import (
    fold_events,
    make_events,
    read_all,
    restore_changelogs,
    wait_for_lists,
    wait_until_committed,
)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    names = {*load_settings().topics.names, *load_settings(None, {"app_id": "green"}).topics.names}
    with EmbeddedBroker(dict.fromkeys(names, N_PARTITIONS)) as broker:
        yield broker


def stop(pipeline: Pipeline) -> None:
    pipeline.worker.signal(signal.SIGTERM)
    assert pipeline.worker.wait() == 0, pipeline.worker.log


def test_rebuilt_model_takes_over_where_the_old_one_ended(broker: EmbeddedBroker) -> None:
    blue = Pipeline(broker)
    rebuilding = Pipeline(broker, **{"app_id": "green", "worker.rebuild_from": "earliest"})
    plain = Pipeline(broker, app_id="green")
    switching = Pipeline(broker, **{"app_id": "green", "worker.switch_from": "stream-rec"})
    lists = blue.topics.recommendations
    with blue.worker:
        blue.send(make_events(1_000))
        blue.worker.wait_until_ready()
        wait_for_lists(blue.broker, lists, blue.accepted())
        wait_until_committed(blue.broker, "stream-rec", blue.topics.events, N_PARTITIONS)
        stop(blue)
    n_lists = len(read_all(blue.broker, lists))
    blue.send(make_events(300))
    with rebuilding.worker:
        wait_until_committed(blue.broker, "green", blue.topics.events, N_PARTITIONS)
        stop(rebuilding)
    assert len(read_all(blue.broker, lists)) == n_lists, "a rebuild publishes nothing"
    with plain.worker:
        assert plain.worker.wait() == 1
        assert "--switch-from" in plain.worker.log
    with switching.worker:
        wait_for_lists(blue.broker, lists, blue.accepted())
        assert len(read_all(blue.broker, lists)) == n_lists + 300, "each list from one of the two"
        wait_until_committed(blue.broker, "green", blue.topics.events, N_PARTITIONS)
        stop(switching)
    with plain.worker:
        blue.send(make_events(100))
        wait_for_lists(blue.broker, lists, blue.accepted())
        stop(plain)
    folded = fold_events(read_all(blue.broker, blue.topics.events), N_PARTITIONS)
    assert restore_changelogs(plain.settings, blue.broker) == folded


def test_model_that_serves_is_not_rebuilt_in_place(broker: EmbeddedBroker) -> None:
    pipeline = Pipeline(broker)
    with pipeline.worker:
        pipeline.send(make_events(100))
        wait_until_committed(broker.address, "stream-rec", "events", N_PARTITIONS)
        stop(pipeline)
    again = Pipeline(broker, **{"worker.rebuild_from": "earliest"})
    with again.worker:
        assert again.worker.wait() == 1
        assert "rebuild under another name" in again.worker.log
