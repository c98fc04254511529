"""The profile of a visitor of whom nothing is known but a session."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import kernel, widen, zero
from stream_rec.kernels.profiles import ProfileRows, clear_profile, push_history
from stream_rec.kernels.seen_items import add_seen


@kernel
def begin_profile(
    profiles: ProfileRows,
    user: int,
    taken: NDArray[np.int32],
    distinct: NDArray[np.int32],
    time_s: float,
    seen_max: int,
) -> None:
    """Make a slot that of a user who has just taken some items and nothing else.

    Parameters
    ----------
    profiles : ProfileRows
        Modified in place; must have room for the seen items.
    user : int
    taken : int32[n]
        Item slots, oldest first.
    distinct : int32[m]
        The same, each once.
    time_s : float
    seen_max : int
    """
    clear_profile(profiles, user)
    for x in range(max(len(taken) - seen_max, 0), len(taken)):
        push_history(profiles, user, widen(taken[x]), time_s, zero())
    for item in distinct:
        add_seen(profiles, user, widen(item), seen_max)
    profiles.n_distinct[user] = len(distinct)
    profiles.last_s[user] = time_s
