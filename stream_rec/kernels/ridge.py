"""Implicit matrix factorisation with additive item rows: user from the history, item by ridge.

The preference r̂(u, i) = ⟨p_u, q_i⟩ is 1 for what was taken and, with a small weight, 0 for the
rest. Nothing is stored for a user. At each event p is solved from the history j_0, j_1, … (newest
first), where G = Σ q qᵀ over the n items and p̄ is the average recent user:

    p = argmin Σ_r γ^r (1 − ⟨p, q_jr⟩)² + (w/n) pᵀ G p + λ_u |p − p̄|²

The item taken next keeps the number and the sum of the user factors that led to it, n_i = Σ c and
b_i = Σ c p. Its own Σ c p pᵀ would take d(d + 1)/2 numbers more; n_i S stands in for it, S being
the average p pᵀ of recent users. So an item costs d + 1 numbers, and they give

    q_i = argmin (n_i + v) qᵀ S q − 2 ⟨b_i, q⟩ + λ_i |q − start_i|²

Both are solved by coordinate descent (element-wise least squares), approximately, in `n_sweeps`
sweeps. Evidence and crowd add over partitions. Factors are derived: solved anew from the same sums
they differ by how far the crowd has moved since, and by what the sweeps left open.

Sources: Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets",
ICDM 2008; X. He, H. Zhang, M.-Y. Kan and T.-S. Chua, "Fast matrix factorization for online
recommendation with implicit feedback", SIGIR 2016 (element-wise updates). The shared S and the
ridge over the history are ours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import inner_kernel, kernel

RECENCY = 0.65
"""γ. Here and below: mean HR@10 over five logs (ratings, news, clicks, purchases); 0.7: −0.0015."""
HISTORY_LENGTH = 12
"""Places of the history worth solving over; 0.65^12 is under 0.01."""
USER_UNSEEN_WEIGHT = 100.0
"""w. 50: −0.003, 200: −0.001."""
ITEM_UNSEEN_WEIGHT = 5.0
"""v. Flat from 1 to 20."""
USER_REG = 5.0
"""λ_u. Flat from 3 to 10, but the factors shrink to nothing if λ_u · λ_i nears 10: −0.03."""
ITEM_REG = 0.2
"""λ_i."""
WINDOW_EVENTS = 2000.0
"""How many events the crowd remembers. No forgetting: −0.008 (movietweetings alone: −0.03)."""
START_SCALE = 0.1
"""Standard deviation of an item's start."""
N_SWEEPS = 2
"""1: −0.006, 3: 0."""


class Crowd(NamedTuple):
    """What recent user factors are like on average; adds over partitions, field by field.

    Attributes
    ----------
    weight : float64[1]
        How many users it stands for, old ones counting less.
    total : float64[d]
        Σ p.
    gram : float64[d, d]
        Σ p pᵀ.
    """

    weight: NDArray[np.float64]
    total: NDArray[np.float64]
    gram: NDArray[np.float64]


def empty_crowd(n_factors: int) -> Crowd:
    """Allocate the statistics of nobody."""
    return Crowd(np.zeros(1), np.zeros(n_factors), np.zeros((n_factors, n_factors)))


@kernel
def learn_crowd(crowd: Crowd, user_factor: NDArray[np.floating], window_events: float) -> None:
    """Add a user factor and let the older ones fade by one part in `window_events`."""
    keep = 1.0 - 1.0 / window_events
    crowd.weight[0] = keep * crowd.weight[0] + 1.0
    for f in range(user_factor.shape[0]):
        factor = np.float64(user_factor[f])
        crowd.total[f] = keep * crowd.total[f] + factor
        for g in range(user_factor.shape[0]):
            crowd.gram[f, g] = keep * crowd.gram[f, g] + factor * user_factor[g]


@kernel
def add_item_evidence(
    evidence: NDArray[np.floating],
    user_factor: NDArray[np.floating],
    weight: float,
    preference: float,
) -> None:
    """Add one event to an item's row; a negative weight takes it out again.

    Parameters
    ----------
    evidence : float[d + 1]
        n_i, then b_i; modified in place.
    user_factor : float[d]
        Of the user *before* the event: what led to it.
    weight : float
        c, the confidence of the event.
    preference : float
        1 for a positive event, 0 for a dislike.
    """
    evidence[0] += weight
    for f in range(user_factor.shape[0]):
        evidence[1 + f] += weight * preference * user_factor[f]


@kernel
def replace_in_gram(
    gram: NDArray[np.float64], old: NDArray[np.floating], new: NDArray[np.floating]
) -> None:
    """Exchange one factor in a Gram matrix: G ← G + new newᵀ − old oldᵀ; old = 0 if just come."""
    for f in range(gram.shape[0]):
        added, removed = np.float64(new[f]), np.float64(old[f])
        for g in range(gram.shape[0]):
            gram[f, g] += added * new[g] - removed * old[g]


@kernel
def solve_user_factor(
    history: NDArray[np.int32],
    n_history: int,
    item_factors: NDArray[np.floating],
    item_gram: NDArray[np.float64],
    n_items: int,
    crowd: Crowd,
    recency: float,
    unseen_weight: float,
    reg: float,
    n_sweeps: int,
    out: NDArray[np.floating],
    work: NDArray[np.floating],
) -> None:
    """Solve the factor of a user from the recent history.

    Parameters
    ----------
    history : int32[R]
        Item slots, newest first; the first `n_history` are valid. Without any, the user is p̄.
    item_factors : float[N, d]
    item_gram : float64[d, d]
        Σ q qᵀ over the `n_items` known items.
    crowd : Crowd
    recency : float
        γ, the weight of each place of the history relative to the one before it.
    unseen_weight, reg : float
        w, the weight of all unseen items together, and λ_u.
    n_sweeps : int
        Sweeps of coordinate descent, starting from p̄.
    out : float[d]
        Overwritten with p.
    work : float[d + 2, d]
        Overwritten.
    """
    n_factors = out.shape[0]
    matrix, target, residual = work[:n_factors], work[n_factors], work[n_factors + 1]
    scale = unseen_weight / max(n_items, 1)
    mean_scale = 1.0 / crowd.weight[0] if crowd.weight[0] > 0.0 else 0.0
    for f in range(n_factors):
        out[f] = crowd.total[f] * mean_scale
        target[f] = reg * out[f]
        for g in range(n_factors):
            matrix[f, g] = scale * item_gram[f, g]
    if n_history == 0:
        return
    weight = 1.0
    r = 0
    while r + 1 < n_history:
        one, two = item_factors[history[r]], item_factors[history[r + 1]]
        _add_two(matrix, target, one, weight, two, weight * recency)
        weight *= recency * recency
        r += 2
    if r < n_history:
        last = item_factors[history[r]]
        _add_two(matrix, target, last, weight, last, 0.0)
    _descend(matrix, 1.0, reg, target, n_sweeps, out, residual)


@inner_kernel
def _add_two(
    matrix: NDArray[np.floating],
    target: NDArray[np.floating],
    one: NDArray[np.floating],
    weight_one: float,
    two: NDArray[np.floating],
    weight_two: float,
) -> None:
    """Add two items of the history; each pass over the matrix costs more than the arithmetic."""
    number = matrix.dtype.type
    for f in range(len(target)):
        a, b = number(weight_one) * one[f], number(weight_two) * two[f]
        target[f] += a + b
        row = matrix[f]
        for g in range(len(row)):
            row[g] += a * one[g] + b * two[g]


@kernel
def solve_item_factor(
    evidence: NDArray[np.floating],
    start: NDArray[np.floating],
    crowd: Crowd,
    unseen_weight: float,
    reg: float,
    n_sweeps: int,
    out: NDArray[np.floating],
    work: NDArray[np.floating],
) -> None:
    """Solve the factor of an item from its evidence.

    Parameters
    ----------
    evidence : float[d + 1]
        n_i and b_i, summed over partitions.
    start : float[d]
        Where the item starts (`init_factors`), and stays without evidence.
    crowd : Crowd
        Summed over partitions.
    unseen_weight, reg : float
        v, the weight of the users who have not taken the item, and λ_i.
    n_sweeps : int
        Sweeps of coordinate descent, starting from `out`.
    out : float[d]
        The factor so far (`start` for a new item); overwritten with q_i.
    work : float[d + 2, d]
        Overwritten.

    Examples
    --------
    >>> crowd, evidence = empty_crowd(2), np.zeros(3)
    >>> fan = np.array([1.0, 0.5])
    >>> for _ in range(20):
    ...     learn_crowd(crowd, fan, WINDOW_EVENTS)
    ...     add_item_evidence(evidence, fan, 1.0, 1.0)
    >>> star_wars, work = np.zeros(2), np.empty((4, 2))
    >>> solve_item_factor(evidence, np.zeros(2), crowd, 5.0, 0.2, N_SWEEPS, star_wars, work)
    >>> round(float(fan @ star_wars), 2)
    0.8
    """
    n_factors = out.shape[0]
    target, residual = work[n_factors], work[n_factors + 1]
    for f in range(n_factors):
        target[f] = evidence[1 + f] + reg * start[f]
    scale = 0.0
    if crowd.weight[0] > 0.0:
        scale = (unseen_weight + evidence[0]) / crowd.weight[0]
    _descend(crowd.gram, scale, reg, target, n_sweeps, out, residual)


@inner_kernel
def _descend(
    gram: NDArray[np.floating],
    scale: float,
    reg: float,
    target: NDArray[np.floating],
    n_sweeps: int,
    x: NDArray[np.floating],
    residual: NDArray[np.floating],
) -> None:
    """Improve x towards (scale · gram + reg · I) x = target, one coordinate after the other.

    The residual is kept up by whole rows, which the compiler can vectorise without reordering sums.
    """
    n_factors = x.shape[0]
    for f in range(n_factors):
        residual[f] = target[f] - reg * x[f]
    for f in range(n_factors):
        _subtract(residual, scale * x[f], gram[f])
    for _ in range(n_sweeps):
        for f in range(n_factors):
            change = residual[f] / (scale * gram[f, f] + reg)
            x[f] += change
            _subtract(residual, scale * change, gram[f])
            residual[f] -= reg * change


@inner_kernel
def _subtract(residual: NDArray[np.floating], step: float, row: NDArray[np.floating]) -> None:
    """Take step · row from the residual, in the residual's precision."""
    number = residual.dtype.type
    factor = number(step)
    for g in range(len(residual)):
        residual[g] -= factor * number(row[g])
