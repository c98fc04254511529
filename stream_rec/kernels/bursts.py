"""Bursts: how many events a user sent of late, to tell a program from a person.

The number of a user's events is halved with each minute that ends. So r events a minute lead to
between r and 2r, and a flood is found within its first minute and over a few minutes after it.
Minutes are those of event time, which a replay has again.
"""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.jit import kernel, widen
from stream_rec.kernels.profiles import ProfileRows

MINUTE_S = 60.0
BURST_MAX = 2**16 - 1
"""A burst is kept in two bytes, and nothing is left of it after as many minutes as these have
bits."""
BURST_BITS = 16.0


@kernel
def count_burst(profiles: ProfileRows, user: int, time_s: float) -> int:
    """Count an event that `last_s` of its user does not know yet; return the burst with it.

    Parameters
    ----------
    profiles : ProfileRows
        `burst` of the user is modified.
    user : int
    time_s : float
        An event that came late belongs to the minute of the user's latest.
    """
    minutes = np.floor(time_s / MINUTE_S) - np.floor(profiles.last_s[user] / MINUTE_S)
    left = widen(profiles.burst[user]) >> int(min(max(minutes, 0.0), BURST_BITS))
    burst = min(left + 1, BURST_MAX)
    profiles.burst[user] = burst
    return burst
