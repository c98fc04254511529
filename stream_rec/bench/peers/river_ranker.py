"""What river takes to learn an event and to rank a catalogue: ``reco.BiasedMF``."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable

from river import reco


def river_us_per_event(
    events: Iterable[tuple[int, int]], n_items: int, n_factors: int, seconds_max: float
) -> float:
    """Return the processor time for learning an event and ranking all items, in µs.

    Parameters
    ----------
    events : iterable of (user, item)
    n_items, n_factors : int
    seconds_max : float
        Processor time after which no further event is begun; the first is left out.
    """
    model = reco.BiasedMF(n_factors=n_factors, seed=0)
    items: set[Hashable] = set(range(n_items))
    for item in items:
        model.learn_one(0, item, 0.5)
    n_done, spent_s = -1, 0.0
    for user, item in events:
        started_s = time.process_time()
        model.learn_one(user, item, 1.0)
        model.rank(user, items)
        n_done += 1
        if n_done:
            spent_s += time.process_time() - started_s
        if spent_s > seconds_max:
            break
    return spent_s * 1e6 / max(n_done, 1)
