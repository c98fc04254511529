"""How long a new worker takes from its start to its first list, kernels compiled before."""

from __future__ import annotations

import time

import numpy as np

from stream_rec.bench.broker import open_broker
from stream_rec.bench.events import Population, encode_events
from stream_rec.bench.processes import START_TIMEOUT_S, Contestant
from stream_rec.bench.subscriber import Subscriber
from stream_rec.bench.topic_ends import send_all
from stream_rec.errors import DeliveryError
from stream_rec.settings import Settings
from stream_rec.stream.worker import run_worker


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
        event = encode_events(Population(n_users=1, n_items=1), 1)
        send_all(settings.kafka, topics.events, event)
        with Subscriber(settings.kafka, topics.recommendations, topics.partitions) as subscriber:
            started_s = time.monotonic()
            with Contestant("worker", bench.folder, run_worker, settings) as worker:
                arrived_s = subscriber.receive(0, 1, started_s + START_TIMEOUT_S)[0]
                worker.require_running()
    if np.isnan(arrived_s):
        raise DeliveryError(f"expected a list within {START_TIMEOUT_S:g} s of the worker's start")
    return float(arrived_s - started_s)
