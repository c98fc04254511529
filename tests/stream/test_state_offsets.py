"""Asking Kafka for offsets while it is away: an error for people, and for those who wait."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing

import pytest
from confluent_kafka import KafkaException

from stream_rec.config import load_settings
from stream_rec.errors import StateError
from stream_rec.stream.changelog import ITEMS
from stream_rec.stream.state.offsets import KafkaOffsets

QUESTIONS: dict[str, Callable[[KafkaOffsets], object]] = {
    "changelog_end": lambda offsets: offsets.changelog_end(ITEMS, 0),
    "events_range": lambda offsets: offsets.events_range(0),
    "events_since": lambda offsets: offsets.events_since(0, 1),
    "committed": lambda offsets: offsets.committed(0),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_absent_kafka_is_told_with_what_to_do(question: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    settings = load_settings(None, {"kafka.broker": address})
    kafka = settings.kafka.model_copy(update={"request_timeout_s": 1.0})
    settings = settings.model_copy(update={"kafka": kafka})
    message = rf"expected Kafka at {address} to tell offsets.*is it running"
    offsets = KafkaOffsets(settings)
    with closing(offsets), pytest.raises(StateError, match=message) as told:
        QUESTIONS[question](offsets)
    assert isinstance(told.value, KafkaException)
