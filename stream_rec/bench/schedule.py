"""The sender of the latency measurement: an open loop that keeps to a schedule.

    event i is due at start + i / rate, whatever became of the events before it

Latency counts from when an event was due, not from when the sender got round to it or Kafka had
taken the one before. A system that stalls is therefore charged with every event that should have
come meanwhile (no coordinated omission: Tene, "How NOT to Measure Latency", 2015).
"""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from typing import NamedTuple

from confluent_kafka import Producer

from stream_rec.bench.events import Encoded, Population, encode_events
from stream_rec.kafka_clients import PARTITIONER, confluent_producer_config
from stream_rec.settings import KafkaSettings

FLUSH_TIMEOUT_S = 30.0


class Schedule(NamedTuple):
    """What to send, and how fast.

    Attributes
    ----------
    population : Population
    first, n_events : int
        Number of the first event, and how many there are.
    rate : float
        Events per second.
    """

    population: Population
    first: int
    n_events: int
    rate: float


class Sent(NamedTuple):
    """How the sender kept to its schedule: how late it was at most, and what Kafka did not take."""

    late_s_max: float
    n_lost: int


def run_sender(kafka: KafkaSettings, topic: str, schedule: Schedule, pipe: Connection) -> None:
    """Send events on schedule, in a process of its own.

    Parameters
    ----------
    kafka : KafkaSettings
    topic : str
    schedule : Schedule
    pipe : Connection
        Says "ready" when everything is encoded, receives the start on the monotonic clock, which
        all processes of a machine share, and returns `Sent`.
    """
    producer = Producer(confluent_producer_config(kafka, linger_ms=0, partitioner=PARTITIONER))
    events = encode_events(schedule.population, schedule.first + schedule.n_events, schedule.first)
    producer.list_topics(topic, timeout=FLUSH_TIMEOUT_S)  # connect before the clock starts
    pipe.send("ready")
    late_s_max = _send(producer, topic, events, pipe.recv(), 1.0 / schedule.rate)
    pipe.send(Sent(late_s_max, producer.flush(FLUSH_TIMEOUT_S)))


def _send(
    producer: Producer, topic: str, events: list[Encoded], start_s: float, interval_s: float
) -> float:
    """Send each event when it is due; return how late the latest was, in seconds."""
    late_s_max = 0.0
    for number, (key, value) in enumerate(events):
        due_s = start_s + number * interval_s
        left_s = due_s - time.monotonic()
        if left_s > 0:
            producer.poll(0)
            time.sleep(max(due_s - time.monotonic(), 0.0))
        late_s_max = max(late_s_max, time.monotonic() - due_s)
        producer.produce(topic, value, key)
    return late_s_max
