"""Drift of a running hit rate: where a model's hits became more or fewer, told by ADWIN.

ADWIN keeps a window of the latest hits and drops its older part as soon as the two parts' means
differ by more than chance allows (δ = 0.002). What it drops is a change of the log, of the model's
knowledge of it, or both: the climb of a model that has just started is one too.

Source: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007;
river's implementation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN


class Drift(NamedTuple):
    """One change.

    Attributes
    ----------
    event : int
        Scored events up to and with the one that showed it.
    before, after : float
        Mean hit rate of the window before its older part was dropped, and of what was left.
    """

    event: int
    before: float
    after: float


def find_drifts(hits: NDArray[np.float64]) -> list[Drift]:
    """Return the changes of a hit rate in order.

    Parameters
    ----------
    hits : float64[S]
        1 where the model hit, 0 elsewhere, in the order of the events.

    Examples
    --------
    >>> hits = np.repeat([0.0, 1.0], 500)
    >>> [(drift.event, round(drift.before, 2)) for drift in find_drifts(hits)][:1]
    [(512, 0.02)]
    """
    detector = ADWIN()
    drifts = []
    for event, hit in enumerate(hits.tolist(), start=1):
        before = detector.estimation
        detector.update(hit)
        if detector.drift_detected:
            drifts.append(Drift(event, before, detector.estimation))
    return drifts
