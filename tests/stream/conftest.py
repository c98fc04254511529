"""An embedded broker for tests of single parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stream_rec.settings import KafkaSettings
from stream_rec.stream.embedded import EmbeddedBroker


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker with a topic ``one`` (1 partition) and a topic ``many`` (3 partitions)."""
    with EmbeddedBroker({"one": 1, "many": 3}) as broker:
        yield broker


@pytest.fixture
def kafka(broker: EmbeddedBroker) -> KafkaSettings:
    """Settings that reach it."""
    return KafkaSettings(broker=broker.address, embedded=True)
