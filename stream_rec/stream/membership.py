"""Whether this worker may still publish: after it stood still, it asks its group first.

A process that was stopped for longer than the session timeout (SIGSTOP, a suspended or overloaded
machine) has lost its partitions and does not know. Its changelog rows are fenced (fence.py), but a
list is not: in a compacted topic a zombie's late list would stay the last of its user. What
librdkafka holds by then it gives up itself, for ``kafka.delivery_timeout_ms`` is less than
``kafka.session_timeout_s``; what is still to be handed over waits here for the group's word.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from stream_rec.settings import KafkaSettings
from stream_rec.stream.fence import FencedError

MS_PER_S = 1_000
LOOKS_PER_PAUSE = 4
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine is suspended, where the system has such a clock."""


def clock_s() -> float:
    """Return seconds since some moment, those in which this process stood still among them."""
    return time.clock_gettime(CLOCK)


class Membership:
    """Sure as long as somebody looks often enough.

    Parameters
    ----------
    pause_s_max : float
        A longer time between two looks means that this process stood still.
    ask : Callable[[], Awaitable[bool]]
        Asks the group whether this worker is a member of its present generation.
    clock_s : Callable[[], float]
        Goes on while the process stands still.

    Examples
    --------
    >>> now_s = 0.0
    >>> membership = Membership(2.0, ask=lambda: None, clock_s=lambda: now_s)
    >>> membership.is_sure()
    True
    >>> now_s = 2.5
    >>> membership.is_sure(), membership.is_sure()
    (False, False)
    """

    def __init__(
        self,
        pause_s_max: float,
        ask: Callable[[], Awaitable[bool]],
        clock_s: Callable[[], float] = clock_s,
    ) -> None:
        self.pause_s_max = pause_s_max
        self._ask = ask
        self._clock_s = clock_s
        self._seen_s = clock_s()
        self._paused_s = 0.0

    def is_sure(self) -> bool:
        """Take a look: whether this process has not stood still since it last knew."""
        now_s = self._clock_s()
        if now_s - self._seen_s > self.pause_s_max:
            self._paused_s = now_s - self._seen_s
        self._seen_s = now_s
        return not self._paused_s

    async def confirm(self) -> None:
        """Ask the group until this is sure.

        Raises
        ------
        FencedError
            The group has given the partitions to others.
        """
        while not self.is_sure():
            paused_s, self._paused_s = self._paused_s, 0.0
            if not await self._ask():
                self._paused_s = paused_s
                raise FencedError(
                    f"expected to stand still for at most {self.pause_s_max:g} s "
                    "(kafka.session_timeout_s less kafka.delivery_timeout_ms), came "
                    f"{paused_s:.1f} s, and the group has given this worker's partitions to others "
                    "meanwhile: it publishes nothing more and stops; look for an overloaded or "
                    "suspended machine"
                )


def pause_s_max(kafka: KafkaSettings) -> float:
    """Return how long a worker may stand still and still be sure of its partitions.

    What it hands over after such a pause is delivered or given up before the session times out.
    """
    return kafka.session_timeout_s - kafka.delivery_timeout_ms / MS_PER_S
