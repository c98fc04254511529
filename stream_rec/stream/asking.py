"""Questions to Kafka that are asked again: it may restart, be busy, or not know a new topic yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from stream_rec.errors import StreamRecError

ATTEMPT_TIMEOUT_S = 5.0
"""How long one attempt may take, where nothing else is said."""
PAUSE_S = 0.2
PASSING = (
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._WAIT_COORD,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)

REFUSALS = (
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
)

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class KafkaUnreachableError(StreamRecError):
    """No broker answered."""


def is_refusal(error: KafkaError) -> bool:
    """Say whether an error that a consumer returned in place of a record does not pass by itself.

    librdkafka tries again after all others. `KafkaError.retriable` says no for each of them.
    """
    return error.fatal() or error.code() in REFUSALS


def ask(question: Callable[[], Answer], broker: str, wait_s: float) -> Answer:
    """Ask Kafka, again while what keeps it from answering may pass. Blocks.

    Parameters
    ----------
    question : callable
        Asks once, for a time that is short beside ``wait_s``.
    broker : str
        Who is asked, for messages.
    wait_s : float
        How long to go on asking, in seconds.

    Raises
    ------
    KafkaUnreachableError
        No broker answered in time.
    KafkaException
        Kafka answered that it will not.
    """
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            return question()
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.code() not in PASSING:
                raise
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise KafkaUnreachableError(
                f"expected Kafka at {broker}, came no answer in {wait_s:.0f} s ({reason.str()}); "
                "is it running, and are kafka.broker and the security settings right?"
            )
        logger.warning(
            "no answer from Kafka at %s (%s); trying for %.0f s more", broker, reason.str(), left_s
        )
        time.sleep(min(PAUSE_S, left_s))
