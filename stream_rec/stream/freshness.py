"""How old the item view is: what of the other workers' learning it may still lack.

    staleness = commit interval + (now − t)

where everything that was committed up to t is in the view. What an owner has learned but not
committed is at most one interval old; what it has committed is missing from when it was written to
the changelog until it is applied here. So it is an upper bound, for the partition that is furthest
behind. Times of changelog records are their owners' clocks (`clock_check.py` bounds the skew).
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from stream_rec.stream.stats import quantiles

TOLERANCE_S = 1.0
"""The view is expected to be no older than a commit interval and this."""
SAMPLES = 2_000
WARNING_INTERVAL_S = 60.0

logger = logging.getLogger(__name__)


class Freshness:
    """Follows how far the view is, by followed partition.

    Parameters
    ----------
    clock_s : Callable[[], float]
        Wall clock, in seconds.
    commit_interval_s : float
        Of all workers.

    Attributes
    ----------
    n_rows : int
        Rows of other workers applied since the start.
    """

    def __init__(self, clock_s: Callable[[], float], commit_interval_s: float) -> None:
        self.clock_s = clock_s
        self._interval_s = commit_interval_s
        self._complete_to_s: dict[int, float] = {}
        self._begun_at_s: float | None = None
        self._warned_at_s = -math.inf
        self._samples_s: deque[float] = deque(maxlen=SAMPLES)
        self.n_rows = 0

    def begin(self, partition: int, is_complete: bool) -> None:
        """Begin with a partition whose rows are all here, or are still to be read."""
        now_s = self.clock_s()
        self._complete_to_s[partition] = now_s if is_complete else -math.inf
        if not is_complete and self._begun_at_s is None:
            self._begun_at_s = now_s

    def forget(self, partition: int) -> None:
        """Forget a partition that is followed no more."""
        self._complete_to_s.pop(partition, None)

    def advance(self, partition: int, complete_to_s: float, is_end: bool) -> None:
        """Note that everything committed to a partition up to a time is in the view now.

        A partition that is being restored is so until its end is reached.
        """
        now_s = self.clock_s()
        before_s = self._complete_to_s[partition]
        if before_s > -math.inf:
            self._sample(self._interval_s + max(0.0, now_s - before_s))
        elif not is_end:
            return
        self._complete_to_s[partition] = max(before_s, min(complete_to_s, now_s))
        if self._begun_at_s is not None and self.n_restoring == 0:
            took_s, self._begun_at_s = now_s - self._begun_at_s, None
            logger.info(
                "item view complete: %s rows of %d partitions of other workers, in %.1f s",
                *(f"{self.n_rows:,}", len(self._complete_to_s), took_s),
            )

    @property
    def n_restoring(self) -> int:
        """Followed partitions whose rows have not all come yet."""
        return sum(at_s == -math.inf for at_s in self._complete_to_s.values())

    @property
    def staleness_s(self) -> float | None:
        """Age of the view; None where no partition is followed or some are being restored."""
        if not self._complete_to_s or self.n_restoring:
            return None
        return self._interval_s + max(0.0, self.clock_s() - min(self._complete_to_s.values()))

    def snapshot(self) -> dict[str, Any]:
        """Return the figures, ready for JSON; quantiles are of the age just before it fell."""
        staleness_s = self.staleness_s
        return {
            "followed": len(self._complete_to_s),
            "restoring": self.n_restoring,
            "rows": self.n_rows,
            "staleness_s": None if staleness_s is None else round(staleness_s, 3),
            "staleness_quantiles_s": quantiles(self._samples_s),
        }

    def _sample(self, staleness_s: float) -> None:
        self._samples_s.append(staleness_s)
        now_s = self.clock_s()
        is_old = staleness_s > self._interval_s + TOLERANCE_S
        if is_old and now_s - self._warned_at_s > WARNING_INTERVAL_S:
            self._warned_at_s = now_s
            logger.warning(
                "the item view was %.1f s old, expected at most %.1f s: this worker or Kafka is "
                "overloaded",
                *(staleness_s, self._interval_s + TOLERANCE_S),
            )
