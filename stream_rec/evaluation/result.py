"""What an evaluation found, ready to be shown or written: figures from ranks and from lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.breakdown import Group
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.curves import N_POINTS
from stream_rec.evaluation.drift import Drift
from stream_rec.evaluation.intervals import Interval, mean_interval, ratio_interval
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.metrics.hit_rate import hit_gains
from stream_rec.evaluation.metrics.rating_error import RatingError

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
    rank : int32[S]
        Of the item of every scored event, from 0; negative where it was not listed.
    intervals : dict of int to Interval or None
        95 % confidence of the hit rate at each k; None where there are too few users.
    memory_bytes : int
        Of the model at the end.
    rating_error : RatingError or None
        Where it predicts ratings.
    tuned : bool
        Whether its parameters were chosen on this log.
    parameters : dict of str to float
    """

    name: str
    by_k: dict[int, dict[str, float]]
    us_per_event: float
    rank: NDArray[np.int32]
    intervals: dict[int, Interval | None]
    memory_bytes: int = 0
    rating_error: RatingError | None = None
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
    user : int32[S]
        Whose each scored event is.
    groups : tuple of Group
    drifts : tuple of Drift
        Of the engine's hit rate.
    baselines : tuple of Score
    left_out : mapping of str to str
        Why baselines that were asked for did not run, by name.
    """

    log: str
    protocol: str
    ks: tuple[int, ...]
    n_events: int
    n_scored: int
    engine: Score
    lists: dict[str, float]
    n_lists: int
    user: NDArray[np.int32]
    groups: tuple[Group, ...]
    drifts: tuple[Drift, ...] = ()
    baselines: tuple[Score, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def left_out_line(self) -> str:
        """Which baselines did not run, and why, for a person; empty where all ran."""
        names = ", ".join(f"{name} ({why})" for name, why in self.left_out.items())
        return f"Left out: {names}." if names else ""

    @property
    def k(self) -> int:
        """The k by which models are compared."""
        return principal_k(self.ks)

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

    @property
    def ratio_interval(self) -> Interval | None:
        """Confidence interval of the ratio, on the same users; None without a ratio or users."""
        best = self.best_baseline
        if best is None or self.ratio is None:
            return None
        return ratio_interval(
            hit_gains(self.engine.rank, self.k), hit_gains(best.rank, self.k), self.user
        )

    def to_json(self) -> dict[str, Any]:
        """Return the figures under the stable keys of docs/evaluation.md."""
        k, best = self.k, self.best_baseline
        return {
            "log": self.log,
            "protocol": self.protocol,
            "k": k,
            "events": self.n_events,
            "scored": self.n_scored,
            "metrics": {
                **self.engine.by_k[k],
                "coverage": self.lists["coverage"],
                **_rating_errors(self.engine),
            },
            "us_per_event": round(self.engine.us_per_event, 3),
            "baselines": {
                score.name: {
                    **score.by_k[k],
                    "hr_interval": score.intervals.get(k),
                    **_rating_errors(score),
                    "tuned": score.tuned,
                    "us_per_event": round(score.us_per_event, 3),
                    "parameters": dict(score.parameters),
                }
                for score in self.baselines
            },
            "best_baseline": best and {"name": best.name, "hr": best.by_k[k]["hr"]},
            "ratio": self.ratio,
        }


def _rating_errors(score: Score) -> dict[str, float]:
    error = score.rating_error
    return {} if error is None else {"rmse": error.rmse, "mae": error.mae}


def details(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the stable keys leave out: every k, intervals, lists, memory, drift, groups.

    Parameters
    ----------
    evaluation : Evaluation
    """
    models = (evaluation.engine, *evaluation.baselines)
    return {
        "by_k": {score.name: score.by_k for score in models},
        "hr_intervals": {score.name: score.intervals for score in models},
        "ratio_interval": evaluation.ratio_interval,
        "lists": {**evaluation.lists, "n_lists": evaluation.n_lists},
        "left_out": dict(evaluation.left_out),
        "memory_bytes": {score.name: score.memory_bytes for score in models},
        "drifts": [drift._asdict() for drift in evaluation.drifts],
        "groups": [
            {
                "kind": group.kind,
                "name": group.name,
                "scored": int(group.members.sum()),
                "hr": {score.name: group_hit_rate(score, group, evaluation.k) for score in models},
                "metrics": {
                    score.name: {
                        k: rank_metrics(score.rank[group.members], k) for k in evaluation.ks
                    }
                    for score in models
                },
            }
            for group in evaluation.groups
        ],
    }


def group_hit_rate(score: Score, group: Group, k: int) -> float:
    """Return the hit rate of a model in a group of events that is not empty."""
    return float(hit_gains(score.rank[group.members], k).mean())


def principal_k(ks: Sequence[int]) -> int:
    """Return the k by which models are compared: 10 where it is one of the ks, else the largest.

    Examples
    --------
    >>> principal_k([1, 10, 20]), principal_k([1, 5])
    (10, 5)
    """
    return PRINCIPAL_K if PRINCIPAL_K in ks else max(ks)


def score_ranks(
    name: str,
    rank: NDArray[np.int32],
    log: LogColumns,
    ks: Sequence[int],
    us_per_event: float,
    *,
    memory_bytes: int = 0,
    tuned: bool = False,
    parameters: Mapping[str, float] | None = None,
) -> Score:
    """Score the ranks that a model gave to the items taken.

    Parameters
    ----------
    name : str
    rank : int32[E]
        From 0; negative where the item was not listed.
    log : LogColumns
    ks : sequence of int
    us_per_event : float
    memory_bytes : int
    tuned : bool
    parameters : mapping of str to float, optional
    """
    scored, user = rank[log.is_scored], log.user[log.is_scored]
    return Score(
        name=name,
        by_k={k: rank_metrics(scored, k) for k in ks},
        us_per_event=us_per_event,
        rank=scored,
        intervals={k: mean_interval(hit_gains(scored, k), user) for k in ks},
        memory_bytes=memory_bytes,
        tuned=tuned,
        parameters=dict(parameters or {}),
    )


def with_rating_error(score: Score, predicted: NDArray[np.floating], log: LogColumns) -> Score:
    """Return a score with the errors of its predicted ratings, as it is where there are none.

    Parameters
    ----------
    score : Score
    predicted : float[E]
        NaN where there is no prediction.
    log : LogColumns
    """
    error = RatingError()
    rated = np.flatnonzero(np.isfinite(predicted))
    if not len(rated):
        return score
    for part in np.array_split(rated, min(len(rated), N_POINTS)):
        error.update(log.value[part], predicted[part])
    return replace(score, rating_error=error)
