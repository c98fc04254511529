"""Which peers run beside the engine, with which parameters and under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers import PEERS, Parameters
from stream_rec.evaluation.peers.popularity import HALF_LIVES_S
from stream_rec.evaluation.result import Score

ALL = "all"
POPULARITY = "popularity"
BEST_POPULARITY = "popularity_best"
_UNITS_S = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


class Baseline(NamedTuple):
    """One peer to run.

    Attributes
    ----------
    name : str
        In reports.
    peer : str
        In `PEERS`.
    parameters : mapping of str to float
    tuned : bool
        Whether the parameters were chosen on this log.
    """

    name: str
    peer: str
    parameters: Parameters
    tuned: bool = False


def choose_baselines(names: Sequence[str]) -> list[Baseline]:
    """Return the baselines that names stand for; popularity stands for one at each half-life.

    Parameters
    ----------
    names : sequence of str
        Of `PEERS`, or ``all``.

    Raises
    ------
    KeyError
        With the first name that is unknown.

    Examples
    --------
    >>> [baseline.name for baseline in choose_baselines(["stan", "item_knn"])]
    ['item_knn', 'stan']
    """
    unknown = next((name for name in names if name != ALL and name not in PEERS), None)
    if unknown is not None:
        raise KeyError(unknown)
    chosen = []
    for peer, kind in PEERS.items():
        if peer not in names and ALL not in names:
            continue
        if peer == POPULARITY:
            chosen += [
                Baseline(f"{POPULARITY}_{duration_name(h)}", POPULARITY, {"half_life_s": h})
                for h in HALF_LIVES_S
            ]
        else:
            chosen.append(Baseline(peer, peer, kind.defaults))
    return chosen


def fit_for(baselines: Sequence[Baseline], log: LogColumns) -> list[Baseline]:
    """Return the baselines that can say something of a log."""
    has_ratings = bool(np.isfinite(log.value).any())
    return [each for each in baselines if has_ratings or not PEERS[each.peer].needs_ratings]


def with_best_popularity(scores: Sequence[Score], k: int) -> list[Score]:
    """Add the popularity whose half-life was best on this log, chosen in hindsight.

    Parameters
    ----------
    scores : sequence of Score
    k : int
        The hit rate that decides.
    """
    popular = [score for score in scores if score.name.startswith(f"{POPULARITY}_")]
    if not popular:
        return list(scores)
    best = max(popular, key=lambda score: score.by_k[k]["hr"])
    return [*scores, replace(best, name=BEST_POPULARITY, tuned=True)]


def duration_name(seconds: float) -> str:
    """Name a duration by its largest whole unit.

    Examples
    --------
    >>> duration_name(900.0), duration_name(604800.0), duration_name(np.inf)
    ('15min', '7d', 'ever')
    """
    if np.isinf(seconds):
        return "ever"
    for name, unit_s in _UNITS_S:
        if seconds % unit_s == 0:
            return f"{seconds / unit_s:g}{name}"
    return f"{seconds:g}s"
