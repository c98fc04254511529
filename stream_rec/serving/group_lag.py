"""How far the workers are behind: events that their group has not committed.

    lag = Σ over partitions of (end of the partition − committed offset)

as Kafka's own tools count it. Workers commit at intervals, so it swings by what comes in one.
"""

from __future__ import annotations

import asyncio
import threading

from confluent_kafka import KafkaException

from stream_rec.settings import Settings
from stream_rec.stream.state.offsets import KafkaOffsets, Offsets, lag_of

ASK_INTERVAL_S = 1.0


def group_lag(offsets: Offsets, n_partitions: int) -> int:
    """Count the events that the group has not committed; all there are where it never has."""
    lag = 0
    for partition in range(n_partitions):
        first, end = offsets.events_range(partition)
        lag += lag_of(first, end, offsets.committed(partition))
    return lag


class GroupLag:
    """Asks Kafka for the lag once a second, in a thread of its own.

    Parameters
    ----------
    settings : Settings
    n_partitions : int
        Of the events topic.

    Attributes
    ----------
    lag : int or None
        The last answer; None while there is none.
    """

    def __init__(self, settings: Settings, n_partitions: int) -> None:
        self._settings = settings
        self._n_partitions = n_partitions
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="group-lag", daemon=True)
        self.lag: int | None = None

    def start(self) -> None:
        """Start to ask."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop after the present question."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        offsets = KafkaOffsets(self._settings)
        try:
            while not self._stopping.is_set():
                try:
                    self.lag = group_lag(offsets, self._n_partitions)
                except KafkaException:
                    self.lag = None
                self._stopping.wait(ASK_INTERVAL_S)
        finally:
            offsets.close()
