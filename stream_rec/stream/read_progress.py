"""How far the reading of changelogs is, for the log and for ``/stats``."""

from __future__ import annotations

import logging
from collections.abc import Callable

LOG_INTERVAL_S = 5.0

logger = logging.getLogger(__name__)


class ReadProgress:
    """Follows one stretch of a partition after the other.

    Parameters
    ----------
    clock_s : Callable[[], float]
        Monotonic clock, in seconds.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._name = ""
        self._start = self._position = self._end = 0
        self._n_records = 0
        self._started_at_s = self._logged_at_s = clock_s()
        self.n_records_ever = 0

    def begin(self, topic: str, partition: int, start: int, end: int) -> None:
        """Begin a stretch: offsets from ``start`` up to, without, ``end``."""
        self._name = f"{topic}, partition {partition}"
        self._start, self._position, self._end = start, start, end
        self._n_records = 0
        self._started_at_s = self._logged_at_s = self._clock_s()

    def advance(self, position: int, n_records: int) -> None:
        """Note that ``n_records`` more have come, and that ``position`` is the next offset."""
        self._position = min(position, self._end)
        self._n_records += n_records
        self.n_records_ever += n_records
        now_s = self._clock_s()
        if now_s - self._logged_at_s >= LOG_INTERVAL_S and self._position < self._end:
            self._logged_at_s = now_s
            logger.info(
                "%s: %s records read, at offset %s of %s (%d %%), %s records a second",
                *(self._name, f"{self._n_records:,}", f"{self._position:,}", f"{self._end:,}"),
                *(round(100 * self.share), f"{self.records_per_s:,.0f}"),
            )

    @property
    def share(self) -> float:
        """Share of the present stretch that has been read, by offsets."""
        return (self._position - self._start) / max(self._end - self._start, 1)

    @property
    def records_per_s(self) -> float:
        """Mean rate in the present stretch."""
        return self._n_records / max(self._clock_s() - self._started_at_s, 1e-3)

    def snapshot(self) -> dict[str, object]:
        """Return the figures, ready for JSON; what is being read only while something is."""
        figures: dict[str, object] = {"records_read": self.n_records_ever}
        if self._position < self._end:
            figures |= {
                "reading": self._name,
                "offsets_to_go": self._end - self._position,
                "records_per_s": round(self.records_per_s),
            }
        return figures
