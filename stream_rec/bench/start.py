"""How long a new worker takes from its start to its first list, kernels compiled before."""

from __future__ import annotations

import time

import numpy as np
from confluent_kafka import Producer

from stream_rec.bench.broker import open_broker
from stream_rec.bench.events import Population, encode_events
from stream_rec.bench.processes import START_TIMEOUT_S, Contestant
from stream_rec.bench.subscriber import Subscriber
from stream_rec.errors import DeliveryError
from stream_rec.kafka_clients import confluent_producer_config
from stream_rec.settings import Settings
from stream_rec.stream.worker import run_worker

DELIVERY_TIMEOUT_S = 30.0


def measure_start(settings: Settings) -> float:
    """Start a worker where one event waits; return the seconds until its list has come.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` says on which broker; topics are the run's own.

    Raises
    ------
    StreamRecError
    """
    with open_broker(settings) as bench:
        settings, topics = bench.settings, bench.settings.topics
        producer = Producer(
            confluent_producer_config(
                settings.kafka, linger_ms=0, delivery_timeout_ms=round(DELIVERY_TIMEOUT_S * 1000)
            )
        )
        event = encode_events(Population(n_users=1, n_items=1), 1)[0]
        came: list[object] = []
        producer.produce(
            topics.events, event.value, event.key, 0, on_delivery=lambda *told: came.append(told[0])
        )
        producer.flush()
        if came != [None]:
            raise DeliveryError(f"expected Kafka to take an event, came {came[0]}")
        with Subscriber(settings.kafka, topics.recommendations, topics.partitions) as subscriber:
            started_s = time.monotonic()
            with Contestant("worker", bench.folder, run_worker, settings) as worker:
                arrived_s = subscriber.receive(0, 1, started_s + START_TIMEOUT_S)[0]
                worker.require_running()
    if np.isnan(arrived_s):
        raise DeliveryError(f"expected a list within {START_TIMEOUT_S:g} s of the worker's start")
    return float(arrived_s - started_s)
