"""What an evaluation found, ready to be shown or written: figures from ranks and from lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.metrics import rank_metrics

PRINCIPAL_K = 10


@dataclass(frozen=True)
class Score:
    """How one model did on the scored events of a log.

    Attributes
    ----------
    name : str
    by_k : dict of int to dict of str to float
        Rank metrics at each k.
    us_per_event : float
        Wall-clock time of testing and learning, in microseconds.
    tuned : bool
        Whether its parameters were chosen on this log.
    parameters : dict of str to float
    """

    name: str
    by_k: dict[int, dict[str, float]]
    us_per_event: float
    tuned: bool = False
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: the engine, its lists, and the baselines of the same run.

    Attributes
    ----------
    log, protocol : str
    ks : tuple of int
    n_events, n_scored : int
    engine : Score
    lists : dict of str to float
        Metrics of the lists shown (`lists.list_metrics`).
    n_lists : int
    baselines : tuple of Score
    """

    log: str
    protocol: str
    ks: tuple[int, ...]
    n_events: int
    n_scored: int
    engine: Score
    lists: dict[str, float]
    n_lists: int
    baselines: tuple[Score, ...] = ()

    @property
    def k(self) -> int:
        """The k by which models are compared: 10 where it is one of the ks, else the largest."""
        return PRINCIPAL_K if PRINCIPAL_K in self.ks else max(self.ks)

    @property
    def best_baseline(self) -> Score | None:
        """The baseline with the highest hit rate, None without baselines."""
        return max(self.baselines, key=lambda score: score.by_k[self.k]["hr"], default=None)

    @property
    def ratio(self) -> float | None:
        """Hit rate of the engine over that of the best baseline; None if there is none above 0."""
        best = self.best_baseline
        if best is None or not best.by_k[self.k]["hr"]:
            return None
        return self.engine.by_k[self.k]["hr"] / best.by_k[self.k]["hr"]

    def to_json(self) -> dict[str, Any]:
        """Return the figures under the stable keys of docs/evaluation.md."""
        k, best = self.k, self.best_baseline
        return {
            "log": self.log,
            "protocol": self.protocol,
            "k": k,
            "events": self.n_events,
            "scored": self.n_scored,
            "metrics": {**self.engine.by_k[k], "coverage": self.lists["coverage"]},
            "us_per_event": round(self.engine.us_per_event, 3),
            "baselines": {
                score.name: {
                    **score.by_k[k],
                    "tuned": score.tuned,
                    "us_per_event": round(score.us_per_event, 3),
                    "parameters": dict(score.parameters),
                }
                for score in self.baselines
            },
            "best_baseline": best and {"name": best.name, "hr": best.by_k[k]["hr"]},
            "ratio": self.ratio,
        }


def score_ranks(
    name: str,
    rank: NDArray[np.int32],
    is_scored: NDArray[np.bool_],
    ks: Sequence[int],
    us_per_event: float,
    tuned: bool = False,
    parameters: Mapping[str, float] | None = None,
) -> Score:
    """Score the ranks that a model gave to the items taken.

    Parameters
    ----------
    name : str
    rank : int32[E]
        From 0; negative where the item was not listed.
    is_scored : bool[E]
    ks : sequence of int
    us_per_event : float
    tuned : bool
    parameters : mapping of str to float, optional
    """
    scored = rank[is_scored]
    by_k = {k: rank_metrics(scored, k) for k in ks}
    return Score(name, by_k, us_per_event, tuned, dict(parameters or {}))
