"""Compares this machine's clock with Kafka's.

Kafka stamps the records of changelogs with the time at which it appends them
(``message.timestamp.type = LogAppendTime``) and tells it in the acknowledgement, so the claim by
which a worker begins shows how far the two clocks are apart, before any event is processed.
A clock far off would give lists and latencies wrong times, and Kafka refuses records from an hour
ahead of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import confluent_kafka

from stream_rec.errors import StreamRecError

MS_PER_S = 1_000


class ClockError(StreamRecError):
    """The clock of this machine differs too much from Kafka's."""


class ClockCheck:
    """Looks at acknowledgements.

    Parameters
    ----------
    skew_max_s : float
        How far the clocks may be apart; none is noted where this is infinite.
    clock_s : Callable[[], float]
        This machine's wall clock, in seconds.
    """

    def __init__(self, skew_max_s: float, clock_s: Callable[[], float] = time.time) -> None:
        self._skew_max_s = skew_max_s
        self._clock_s = clock_s
        self.skew_s: float | None = None
        """How far this clock is ahead, at most: the way of the acknowledgement is in it."""

    def look(self, message: confluent_kafka.Message) -> None:
        """Note the broker's time, if the topic carries it."""
        kind, timestamp_ms = message.timestamp()
        is_told = kind == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
        if is_told and math.isfinite(self._skew_max_s):
            self.skew_s = self._clock_s() - timestamp_ms / MS_PER_S

    def raise_if_far_off(self) -> None:
        """Refuse to go on with a clock far off.

        Raises
        ------
        ClockError
            It differs by more than the limit.
        """
        if self.skew_s is not None and abs(self.skew_s) > self._skew_max_s:
            raise ClockError(
                f"expected this machine's clock within {self._skew_max_s:g} s of Kafka's "
                f"(kafka.clock_skew_s_max), came {abs(self.skew_s):,.0f} s "
                f"{'ahead' if self.skew_s > 0 else 'behind'}; set it here or there: "
                "`timedatectl set-ntp true`, or `chronyc makestep`"
            )
