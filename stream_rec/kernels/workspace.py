"""Memory for one ranking at a time, allocated once, so that the hot path allocates nothing.

What the present ranking knows of an item stands in a row of its own, half a cache line: `source`,
which is cleared for the items that the last ranking touched, and marks that hold the ranking's
stamp, so that they need not be cleared. Features and what is computed of them lie candidate beside
candidate, so that inner loops run over candidates and fill vector registers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.curves import N_KNOTS, N_SEGMENTS
from stream_rec.kernels.jit import fill, kernel

EXCLUDED, CANDIDATE = 0, 1
"""Columns of `marks`: stamps of excluded items and of candidates."""
N_MARKS = 2

NEAR_INVERSE, NEAR_ROOT, WIDE_ROOT, AFTER_INVERSE, AFTER_LAST = 0, 1, 2, 3, 4
"""Columns of `source`, the link sources; formulas in sources.py."""
N_LINK_SOURCES = 5
PREDICTED = N_LINK_SOURCES
"""Column of `source` with the implicit factors' prediction."""
SOURCE_COLUMNS = 8
"""Columns of `source`, the last ones unused: a row is 32 bytes and straddles no cache line."""
N_PROPOSING = 4
"""Sources that propose items: candidates.py."""

N_BUCKETS = 4
"""Classes of history length with weights of their own: 0, 1–2, 3–9, 10 or more distinct items."""
N_CONTEXT = N_BUCKETS + 3
"""What the hidden units see of the situation: class and length of the history, gap, last count."""
N_HIDDEN = 16
"""Hidden units; 8 cost 0.001 of HR@10 in the mean of five logs, 32 gain nothing."""
BESIDE_STEPS = 8
"""How far id_order.py looks to either side; 16 gain nothing."""
N_REGRESSORS = 32
"""Neighbours that slim.py has weights for; 16 cost 0.0005 of HR@10, 64 gain 0.0003."""
STAMP_MAX = 2**31 - 2


class Workspace(NamedTuple):
    """Scratch arrays over N item slots, T touched items, C candidates, F features.

    W ≤ F of the features are written by a ranking; the weights of the others get no gradients.

    Attributes
    ----------
    marks : int32[N, N_MARKS]
    had : int32[N]
        The stamp of the last ranking for a user who had taken the item.
    stamp : int32[1]
        Number of the present ranking.
    source : float32[N, SOURCE_COLUMNS]
        Values per source; all 0 but for touched items.
    touched : int32[T + 1], n_touched : int32[1]
        Items that a link source reached, in order.
    source_total : float64[N_LINK_SOURCES]
        Sum of each link source over all items.
    top_key : float32[N_PROPOSING, T]
        By what the touched items are proposed.
    top_at : int32[K + 1]
        Places of the largest.
    beside : int32[2 · BESIDE_STEPS]
        Listed items beside the user's last one in the order of ids, the nearest first, in turn
        from before and from behind; NO_ITEM where there is none.
    candidate : int32[C]
        Items to be ranked.
    feature, missing : float32[W, C]
        Features, and 1 where a source says nothing of the candidate.
    user_factor : float32[D]
        The user's implicit factor.
    item_factor : float32[3, D]
        An item's factor before and after it is solved anew.
    factor_work : float32[D + 2, D]
        For the solvers of ridge.py.
    context : float32[N_CONTEXT]
    hidden : float32[N_HIDDEN, C]
    segment : float32[F, 2 * N_SEGMENTS]
        The curves as ranker.py needs them.
    logit : float32[C], score : float64[C]
        Scores as they are summed up, and as they are used.
    newton_work : float64[2 · F + 1, 2 · F]
        For newton.py.
    linear_gradient : float32[2, F]
    curve_gradient : float32[F, N_KNOTS]
    hidden_gradient : float32[F + N_CONTEXT, N_HIDDEN]
    output_gradient, back, context_gradient : float32[N_HIDDEN]
        Of the output weights; with regard to what enters the tanh, for one candidate and for all.
    slim_place : int32[N], slim_found : float32[K, 1 + K], slim_matrix : float32[K, K]
    slim_target : float32[K], slim_at : int32[K + 1]
        For slim.py; the first are all 0 in between.
    stepped : int32[C], step : float32[C], n_stepped : int32[1]
        Items whose bias the last learning step moved, with the gradient.
    """

    marks: NDArray[np.int32]
    had: NDArray[np.int32]
    stamp: NDArray[np.int32]
    source: NDArray[np.float32]
    touched: NDArray[np.int32]
    n_touched: NDArray[np.int32]
    source_total: NDArray[np.float64]
    top_key: NDArray[np.float32]
    top_at: NDArray[np.int32]
    beside: NDArray[np.int32]
    candidate: NDArray[np.int32]
    feature: NDArray[np.float32]
    missing: NDArray[np.float32]
    user_factor: NDArray[np.float32]
    item_factor: NDArray[np.float32]
    factor_work: NDArray[np.float32]
    context: NDArray[np.float32]
    hidden: NDArray[np.float32]
    segment: NDArray[np.float32]
    logit: NDArray[np.float32]
    score: NDArray[np.float64]
    newton_work: NDArray[np.float64]
    linear_gradient: NDArray[np.float32]
    curve_gradient: NDArray[np.float32]
    hidden_gradient: NDArray[np.float32]
    output_gradient: NDArray[np.float32]
    back: NDArray[np.float32]
    context_gradient: NDArray[np.float32]
    stepped: NDArray[np.int32]
    step: NDArray[np.float32]
    n_stepped: NDArray[np.int32]
    slim_place: NDArray[np.int32]
    slim_found: NDArray[np.float32]
    slim_matrix: NDArray[np.float32]
    slim_target: NDArray[np.float32]
    slim_at: NDArray[np.int32]


def empty_workspace(
    n_items: int,
    n_touched: int,
    n_candidates: int,
    n_features: int,
    n_written: int,
    n_factors: int,
    n_linked: int,
) -> Workspace:
    """Allocate scratch arrays."""
    return Workspace(
        marks=np.zeros((n_items, N_MARKS), np.int32),
        had=np.zeros(n_items, np.int32),
        stamp=np.zeros(1, np.int32),
        source=np.zeros((n_items, SOURCE_COLUMNS), np.float32),
        touched=np.zeros(n_touched + 1, np.int32),
        n_touched=np.zeros(1, np.int32),
        source_total=np.zeros(N_LINK_SOURCES),
        top_key=np.zeros((N_PROPOSING, n_touched), np.float32),
        top_at=np.zeros(n_linked + 1, np.int32),
        beside=np.zeros(2 * BESIDE_STEPS, np.int32),
        candidate=np.zeros(n_candidates, np.int32),
        feature=np.zeros((n_written, n_candidates), np.float32),
        missing=np.zeros((n_written, n_candidates), np.float32),
        user_factor=np.zeros(n_factors, np.float32),
        item_factor=np.zeros((3, n_factors), np.float32),
        factor_work=np.zeros((n_factors + 2, n_factors), np.float32),
        context=np.zeros(N_CONTEXT, np.float32),
        hidden=np.zeros((N_HIDDEN, n_candidates), np.float32),
        segment=np.zeros((n_features, 2 * N_SEGMENTS), np.float32),
        logit=np.zeros(n_candidates, np.float32),
        score=np.zeros(n_candidates),
        newton_work=np.zeros((2 * n_features + 1, 2 * n_features)),
        linear_gradient=np.zeros((2, n_features), np.float32),
        curve_gradient=np.zeros((n_features, N_KNOTS), np.float32),
        hidden_gradient=np.zeros((n_features + N_CONTEXT, N_HIDDEN), np.float32),
        output_gradient=np.zeros(N_HIDDEN, np.float32),
        back=np.zeros(N_HIDDEN, np.float32),
        context_gradient=np.zeros(N_HIDDEN, np.float32),
        stepped=np.zeros(n_candidates, np.int32),
        step=np.zeros(n_candidates, np.float32),
        n_stepped=np.zeros(1, np.int32),
        slim_place=np.zeros(n_items, np.int32),
        slim_found=np.zeros((N_REGRESSORS, 1 + N_REGRESSORS), np.float32),
        slim_matrix=np.zeros((N_REGRESSORS, N_REGRESSORS), np.float32),
        slim_target=np.zeros(N_REGRESSORS, np.float32),
        slim_at=np.zeros(N_REGRESSORS + 1, np.int32),
    )


@kernel
def next_stamp(workspace: Workspace) -> int:
    """Begin a ranking: all marks of earlier ones are void."""
    if workspace.stamp[0] >= STAMP_MAX:
        fill(workspace.marks.reshape(-1), 0)
        fill(workspace.had, 0)
        workspace.stamp[0] = 0
    workspace.stamp[0] += 1
    return int(workspace.stamp[0])
