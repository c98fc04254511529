"""Which peers run beside the engine, with which parameters and under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.peers import PEERS, Parameters
from stream_rec.evaluation.result import Score

ALL = "all"
POPULARITY = "popularity"
BEST_POPULARITY = "popularity_best"


class Baseline(NamedTuple):
    """One peer to run.

    Attributes
    ----------
    name : str
        In reports.
    peer : str
        In `PEERS`.
    parameters : mapping of str to float
    fixed : tuple of str
        Parameters that make it this variant of its peer, so that are not tuned.
    tuned : bool
        Whether the parameters were chosen on this log.
    """

    name: str
    peer: str
    parameters: Parameters
    fixed: tuple[str, ...] = ()
    tuned: bool = False


def choose_baselines(names: Sequence[str]) -> list[Baseline]:
    """Return the baselines that names stand for; a peer with variants stands for all of them.

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
        if kind.variants:
            chosen += [
                Baseline(f"{peer}_{name}", peer, {**kind.defaults, **fixed}, tuple(fixed))
                for name, fixed in kind.variants.items()
            ]
        else:
            chosen.append(Baseline(peer, peer, kind.defaults))
    return chosen


def fit_for(
    baselines: Sequence[Baseline], log: LogColumns
) -> tuple[list[Baseline], dict[str, str]]:
    """Return the baselines that can say something of a log, and why the others cannot, by name."""
    if np.isfinite(log.value).any():
        return list(baselines), {}
    fit = [each for each in baselines if not PEERS[each.peer].needs_ratings]
    return fit, {each.name: "the log has no ratings" for each in baselines if each not in fit}


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
