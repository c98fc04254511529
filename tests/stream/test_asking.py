"""Questions to Kafka: what passes is asked again, what does not is told at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_rec.stream.asking import PASSING, KafkaUnreachableError, ask

BROKER = "kafka:9092"
LONG_S = 60.0


def refuses(code: int, n_times: int) -> Callable[[], str]:
    left = iter([KafkaException(KafkaError(code))] * n_times)

    def question() -> str:
        for error in left:
            raise error
        return "answer"

    return question


@pytest.mark.parametrize("code", PASSING)
def test_what_passes_is_asked_again(code: int) -> None:
    assert ask(refuses(code, 1), BROKER, LONG_S) == "answer"


def test_refusals_are_not_asked_again() -> None:
    with pytest.raises(KafkaException):
        ask(refuses(KafkaError.TOPIC_AUTHORIZATION_FAILED, 1), BROKER, LONG_S)


def test_absent_broker_is_named_when_time_is_up() -> None:
    with pytest.raises(KafkaUnreachableError, match=rf"{BROKER}.*came no answer in 0 s"):
        ask(refuses(KafkaError._TRANSPORT, 3), BROKER, 0.0)
