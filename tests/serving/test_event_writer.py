"""What Kafka cannot take is refused before anything is written, and leaves nothing counted."""

from __future__ import annotations

import json

import confluent_kafka
import pytest

from stream_rec.config import Settings
from stream_rec.kafka_clients import MESSAGE_BYTES_MAX
from stream_rec.serving.event_writer import EventWriter, KafkaAwayError
from tests.serving.conftest import serving
from tests.serving.test_http import post

GOOD = {"user": "a", "item": "i1", "type": "click"}


async def test_an_event_too_large_for_kafka_is_named_and_none_is_written(
    settings: Settings,
) -> None:
    serve = settings.serve.model_copy(update={"request_bytes_max": 3_000_000})
    room = MESSAGE_BYTES_MAX - len(json.dumps({**GOOD, "context": ""}, separators=(",", ":")))
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        for n_spare in (0, 8, 60):
            large = {**GOOD, "context": "x" * (room - n_spare)}
            problem = await post(served, "/events", [GOOD, large], 422)
            (error,) = problem["errors"]
            assert (error["index"], error["code"]) == (1, "too_large")
        assert served.service.writer.n_in_flight == 0
        fitting = {**GOOD, "context": "x" * (room - 100)}
        places = (await post(served, "/events", [GOOD, fitting], 202))["events"]
        assert [place["offset"] for place in places] == [0, 1]


class Refusing:
    """A producer that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def produce(self, *arguments: object, **options: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (confluent_kafka.KafkaException(confluent_kafka.KafkaError(-150)), KafkaAwayError),
        (ValueError("no such thing"), ValueError),
    ],
    ids=["of Kafka", "other"],
)
async def test_what_the_producer_refuses_is_not_counted_as_under_way(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: type[Exception],
) -> None:
    writer = EventWriter(settings)
    monkeypatch.setattr(writer, "_producer", Refusing(error))
    with pytest.raises(told):
        await writer.write([(b"a", b"1"), (b"a", b"2")])
    assert writer.n_in_flight == 0
