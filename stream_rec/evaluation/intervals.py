"""Confidence intervals by bootstrap over users: events of one user are not independent.

    weight of user u in sample b ~ Poisson(1)
    mean_b = Σ_u w_bu Σ_{e of u} gain(e) / Σ_u w_bu n_u

The interval is between the quantiles of the sample means. The ratio of two models is taken on the
same users in every sample (paired), which is much narrower than two intervals side by side.

Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993; Poisson weights: Chamandy,
Muralidharan, Najmi and Naidu, "Estimating uncertainty for massive data streams", 2012.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_SAMPLES = 1000
CONFIDENCE = 0.95
USERS_MIN = 2
"""Users that an interval needs: of one, every sample is the same."""
_SAMPLES_AT_ONCE = 50


class Interval(NamedTuple):
    """From `low` to `high`."""

    low: float
    high: float


def interval_text(interval: Interval | None, digits: int = 4) -> str:
    """Return an interval for a person, a dash where there is none.

    Examples
    --------
    >>> interval_text(Interval(0.25, 0.5)), interval_text(Interval(1.5, np.inf), 1)
    ('0.2500–0.5000', '1.5–∞')
    """
    if interval is None:
        return "–"
    return "–".join(f"{end:.{digits}f}" if np.isfinite(end) else "∞" for end in interval)


def mean_interval(
    gains: NDArray[np.float64], user: NDArray[np.int32], seed: int = 0
) -> Interval | None:
    """Return the confidence interval of a mean gain, None of fewer than two users.

    Parameters
    ----------
    gains : float64[E]
    user : int32[E]
        Whose event each is.
    seed : int

    Examples
    --------
    >>> mean_interval(np.array([0.0, 1.0]), np.array([7, 7])) is None
    True
    """
    total, n = _by_user(gains, user), _by_user(np.ones(len(gains)), user)
    if len(n) < USERS_MIN:
        return None
    sums = _sampled_sums(np.stack([total, n], axis=1), seed)
    return _interval(sums[:, 0] / sums[:, 1])


def ratio_interval(
    gains: NDArray[np.float64],
    other_gains: NDArray[np.float64],
    user: NDArray[np.int32],
    seed: int = 0,
) -> Interval | None:
    """Return the confidence interval of the mean of `gains` over that of `other_gains`.

    Parameters
    ----------
    gains, other_gains : float64[E]
        Of the same events; the other mean is above 0.
    user : int32[E]
    seed : int

    Returns
    -------
    Interval or None
        None of fewer than two users. The upper end is infinite where the other model may well have
        had no gain at all; samples in which neither has any say nothing and are left out.
    """
    by_user = np.stack([_by_user(gains, user), _by_user(other_gains, user)], 1)
    if len(by_user) < USERS_MIN:
        return None
    sums = _sampled_sums(by_user, seed)
    own, other = sums[sums.any(axis=1)].T
    ratio = np.full(len(own), np.inf)
    np.divide(own, other, out=ratio, where=other > 0.0)
    return _interval(ratio)


def _by_user(gains: NDArray[np.float64], user: NDArray[np.int32]) -> NDArray[np.float64]:
    _, place = np.unique(user, return_inverse=True)
    return np.bincount(place, gains).astype(np.float64)


def _sampled_sums(columns: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return the sums of columns over users, float64[U, C], in each bootstrap sample."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(0, N_SAMPLES, _SAMPLES_AT_ONCE):
        weight = random.poisson(1.0, (_SAMPLES_AT_ONCE, len(columns))).astype(np.float64)
        weight[weight.sum(axis=1) == 0.0] = 1.0
        parts.append(weight @ columns)
    return np.concatenate(parts)


def _interval(values: NDArray[np.float64]) -> Interval:
    tail = (1.0 - CONFIDENCE) / 2.0
    if np.isfinite(values).all():
        low, high = np.quantile(values, [tail, 1.0 - tail])
        return Interval(float(low), float(high))
    # Nothing lies halfway to infinity: the ends are values, and not between two of them.
    in_order = np.sort(values)
    place = int(tail * (len(values) - 1))
    return Interval(float(in_order[place]), float(in_order[len(values) - 1 - place]))
