"""Read events and lists from Kafka as they come, on a thread of its own.

The thread stamps each list with the time of its arrival, so that drawing the screen, which takes
some milliseconds, does not count as latency of the lists.
"""

from __future__ import annotations

import queue
import threading
import time
from types import TracebackType
from typing import Self

from stream_rec.cli.demo.messages import Event, RefreshedList, decode_event, decode_list
from stream_rec.cli.reader import TopicReader, open_reader
from stream_rec.config import Settings

POLL_TIMEOUT_S = 0.2


class Feed:
    """Events and lists from the beginning of their topics, in the order of their arrival.

    Parameters
    ----------
    settings : Settings
        Kafka and topics.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._arrivals: queue.SimpleQueue[Event | RefreshedList | BaseException]
        self._arrivals = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def take(self, wait_s: float) -> list[Event | RefreshedList]:
        """Return what has arrived, waiting at most `wait_s` for the first.

        Raises
        ------
        Exception
            Whatever ended the reading thread.
        """
        arrivals: list[Event | RefreshedList] = []
        try:
            arrival = self._arrivals.get(timeout=wait_s)
            while True:
                if isinstance(arrival, BaseException):
                    raise arrival
                arrivals.append(arrival)
                arrival = self._arrivals.get_nowait()
        except queue.Empty:
            return arrivals

    def _run(self) -> None:
        topics = self._settings.topics
        names = [topics.events, topics.recommendations]
        try:
            with open_reader(self._settings.kafka, names, from_beginning=True) as reader:
                while not self._stopping.is_set():
                    self._read(reader, topics.events)
        except Exception as error:
            self._arrivals.put(error)

    def _read(self, reader: TopicReader, events_topic: str) -> None:
        records = reader.read(POLL_TIMEOUT_S)
        received_ms = time.time() * 1000
        for record in records:
            value, partition, offset = record.value(), record.partition(), record.offset()
            assert value is not None, "nobody is forgotten during the demo"
            assert partition is not None
            assert offset is not None
            if record.topic() == events_topic:
                _, produced_ms = record.timestamp()
                self._arrivals.put(decode_event(value, partition, offset, produced_ms))
            else:
                self._arrivals.put(decode_list(value, received_ms))
