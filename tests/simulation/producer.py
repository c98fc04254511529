"""The simulated producer: ordered per partition, as an idempotent librdkafka producer is.

Records of one partition travel in batches, one batch at a time. On its way a batch may be late,
and a record may fail: then Kafka has it or not (a lost acknowledgement), but the producer is told
that it was not delivered, and what was handed over after it goes on being sent. When the process
dies, the batches on their way may still arrive; when it is frozen, those behind them follow when it
wakes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from stream_rec.errors import DeliveryError
from stream_rec.stream.effects import Acked
from tests.simulation.broker import Where
from tests.simulation.process import Process

QUEUE_MAX = 64
"""Records not yet acknowledged; a full queue makes who produces wait (kafka.producer_queue_…)."""


class Fate(NamedTuple):
    """What becomes of a record on its way."""

    delay_s: float = 0.0
    is_stored: bool = True
    is_acknowledged: bool = True


Append = Callable[[], int]
"""Stores the record; returns its offset."""


@dataclass
class Sent:
    """A record that was handed over."""

    where: Where
    append: Append
    is_done: bool = False


class Network:
    """What lies between producers and broker.

    Parameters
    ----------
    latency_s : Callable[[], float]
        One way.
    batch_size : Callable[[], int]
        Records that leave together.
    fate : Callable[[Process], Fate]
        Of each record as it arrives.
    arrives_after_death : Callable[[], bool]
        Whether a batch on its way outlives its sender.
    """

    def __init__(
        self,
        latency_s: Callable[[], float],
        batch_size: Callable[[], int],
        fate: Callable[[Process], Fate],
        arrives_after_death: Callable[[], bool],
    ) -> None:
        self.latency_s = latency_s
        self.batch_size = batch_size
        self.fate = fate
        self.arrives_after_death = arrives_after_death


@dataclass
class Channel:
    """What waits for one partition, and whether a batch is on its way."""

    queue: deque[Sent] = field(default_factory=deque)
    is_busy: bool = False


class Producer:
    """Of one process."""

    def __init__(self, process: Process, network: Network) -> None:
        self._process = process
        self._network = network
        self._channels: dict[Where, Channel] = defaultdict(Channel)
        self._unfinished: deque[Sent] = deque()
        self._acked: dict[Where, Acked] = {}
        self._changed = asyncio.Event()
        self.failure: DeliveryError | None = None
        self.n_queued_most = 0
        process.on_wake.append(self._send_all)

    async def hand_over(self, where: Where, append: Append) -> None:
        """Take a record, waiting while the queue is full.

        Raises
        ------
        DeliveryError
            An earlier record was not delivered.
        """
        while len(self._unfinished) >= QUEUE_MAX:
            self._raise_failure()
            await self._wait_for_change()
        self._raise_failure()
        sent = Sent(where, append)
        self._unfinished.append(sent)
        self.n_queued_most = max(self.n_queued_most, len(self._unfinished))
        channel = self._channels[where]
        channel.queue.append(sent)
        if not channel.is_busy:
            channel.is_busy = True
            self._process.loop.call_later(self._network.latency_s(), self._send, where)

    async def wait_for_acks(self) -> dict[Where, Acked]:
        """Wait for all that was handed over; return the offsets since the last time.

        Raises
        ------
        DeliveryError
            A record was not delivered.
        """
        last = self._unfinished[-1] if self._unfinished else None
        while last is not None and not self._is_finished(last):
            self._raise_failure()
            await self._wait_for_change()
        self._raise_failure()
        acked, self._acked = self._acked, {}
        return acked

    def purge(self) -> None:
        """Give up what has not left yet."""
        for channel in self._channels.values():
            channel.queue.clear()

    def _is_finished(self, last: Sent) -> bool:
        while self._unfinished and self._unfinished[0].is_done:
            if self._unfinished.popleft() is last:
                return True
        return last not in self._unfinished

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _notify(self) -> None:
        while self._unfinished and self._unfinished[0].is_done:
            self._unfinished.popleft()
        self._changed.set()

    def _fail(self, sent: Sent) -> None:
        self.failure = self.failure or DeliveryError(f"not delivered: {sent.where}")

    def _send_all(self) -> None:
        for where, channel in self._channels.items():
            if channel.queue and not channel.is_busy:
                channel.is_busy = True
                self._send(where)

    def _send(self, where: Where) -> None:
        channel = self._channels[where]
        if self._process.is_dead or self._process.is_frozen or not channel.queue:
            channel.is_busy = False
            return
        n_records = min(self._network.batch_size(), len(channel.queue))
        batch = [channel.queue.popleft() for _ in range(n_records)]
        fates = [self._network.fate(self._process) for _ in batch]
        delay_s = max(fate.delay_s for fate in fates) + self._network.latency_s()
        self._process.loop.call_later(delay_s, self._arrive, where, batch, fates)

    def _arrive(self, where: Where, batch: list[Sent], fates: list[Fate]) -> None:
        """Store a batch; the acknowledgement takes its time too."""
        if self._process.is_dead and not self._network.arrives_after_death():
            return
        offsets = [
            sent.append() if fate.is_stored else None
            for sent, fate in zip(batch, fates, strict=True)
        ]
        self._process.loop.call_later(
            self._network.latency_s(), self._acknowledge, where, batch, fates, offsets
        )

    def _acknowledge(
        self, where: Where, batch: list[Sent], fates: list[Fate], offsets: list[int | None]
    ) -> None:
        for sent, fate, offset in zip(batch, fates, offsets, strict=True):
            if offset is None or not fate.is_acknowledged:
                self._fail(sent)
                continue
            sent.is_done = True
            before = self._acked.get(where, Acked(offset, offset, 0))
            self._acked[where] = Acked(before.first, offset, before.n_records + 1)
        self._notify()
        self._send(where)
