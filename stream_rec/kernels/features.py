"""Features: what each source says of each candidate, on one scale for all logs.

A source enters as the logarithm of its share, x = (max(ln share, −14) + 7) / 3 with share = value /
sum over all items, so that neither the size of the log nor a source's own scale matters; a source
that says nothing gives x = −2.5 and a flag of its own, because the logarithm of nothing is not just
a small number. Then age, idle time, the implicit factors' prediction, and how alike the candidate
and the user's last item are in count and in time of first sight: people go through the known and
the obscure, the new and the old, in runs, and no link is needed to see that. Last, the candidate's
place r in the user's history, 0 the newest, as the logarithm of 1 / (r + 1): where users take the
same items again, the latest come first.

    columns: H popularities, all-time popularity, N_LINK_SOURCES link sources, age, idle, factor,
             like_count, like_first, place

The weights always have the column of the place; a workspace has it only where seen items are not
excluded, because elsewhere no candidate has a place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.jit import inner_kernel, kernel, widen
from stream_rec.kernels.sources import predict
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    N_BUCKETS,
    N_LINK_SOURCES,
    TOUCHED,
    TOUCHED_AT,
    Workspace,
)

LINK_FEATURES = "near_inverse", "near_root", "wide_root", "after_inverse", "after_last"
OTHER_FEATURES = "age", "idle", "factor", "like_count", "like_first", "place"
"""Those that are no shares."""
N_OTHER = len(OTHER_FEATURES)
LOG_SHARE_MIN = -14.0
LOG_SHARE_NOTHING = -27.6
"""A decayed popularity below this share (1e-12) says nothing."""
ABSENT = -2.5
LONGEST_S = 1e10
"""Some 300 years."""
LN_2 = math.log(2.0)


def n_features(n_half_lives: int) -> int:
    """Return the number of feature columns that the ranker has weights for."""
    return n_half_lives + 1 + N_LINK_SOURCES + N_OTHER


def n_written(n_half_lives: int, *, exclude_seen: bool) -> int:
    """Return how many of these columns, from the first on, a ranking writes."""
    return n_features(n_half_lives) - int(exclude_seen)


@kernel
def history_bucket(n_distinct: int) -> int:
    """Return the class of a history by its number of distinct items.

    Examples
    --------
    >>> [history_bucket(n) for n in (0, 1, 2, 3, 9, 10, 500)]
    [0, 1, 1, 2, 2, 3, 3]
    """
    if n_distinct == 0:
        return 0
    if n_distinct < 3:
        return 1
    return 2 if n_distinct < 10 else 3


@inner_kernel
def _minutes(seconds: float) -> float:
    """Return ln(1 + minutes); time that runs backwards counts as none.

    The upper bound is for a neighbour whose own row was not durable yet when a worker recovered:
    until its events are replayed it has links but was never seen, an infinite time ago.
    """
    return math.log(1.0 + min(max(seconds, 0.0), LONGEST_S) / 60.0)


@kernel
def write_context(
    context: NDArray[np.float32], n_distinct: int, gap_s: float, last_item_count: int
) -> None:
    """Describe the situation of a ranking to the hidden units.

    Parameters
    ----------
    context : float32[N_CONTEXT]
        Written.
    n_distinct : int
        Distinct items the user ever took.
    gap_s : float
        Seconds since the user's last event; not used if there was none.
    last_item_count : int
        Count of the last item, in units of 1/WEIGHT_UNIT.
    """
    context[:] = 0.0
    context[history_bucket(n_distinct)] = 1.0
    context[N_BUCKETS] = math.log(1.0 + n_distinct) / 3.0 - 0.5
    if n_distinct > 0:
        context[N_BUCKETS + 1] = (_minutes(gap_s) - 4.0) / 4.0
    context[N_BUCKETS + 2] = (math.log(1.0 + last_item_count / WEIGHT_UNIT) - 4.0) / 3.0


@inner_kernel
def _write_share(workspace: Workspace, a: int, column: int, log_share: float) -> None:
    workspace.feature[a, column] = (max(log_share, LOG_SHARE_MIN) + 7.0) / 3.0
    workspace.missing[a, column] = 0.0


@inner_kernel
def _write_absent(workspace: Workspace, a: int, column: int) -> None:
    workspace.feature[a, column] = ABSENT
    workspace.missing[a, column] = 1.0


@inner_kernel
def _write_link_shares(
    workspace: Workspace, n_touched: int, n_candidates: int, first_column: int, stamp: int
) -> None:
    for s in range(N_LINK_SOURCES):
        total = 0.0
        for z in range(n_touched):
            total += workspace.source[z, s]
        log_total = math.log(total) if total > 0.0 else 0.0
        for a in range(n_candidates):
            item = workspace.candidate[a]
            value = np.float32(0.0)
            if workspace.marks[item, TOUCHED] == stamp:
                value = workspace.source[workspace.marks[item, TOUCHED_AT], s]
            if value > 0.0:
                _write_share(workspace, a, first_column + s, math.log(value) - log_total)
            else:
                _write_absent(workspace, a, first_column + s)


@inner_kernel
def _write_likeness(
    view: ItemView, workspace: Workspace, a: int, column: int, last_item: int
) -> None:
    """Compare candidate `a` with the last item: by the ratio of counts, by time between firsts."""
    rows, item = view.rows, workspace.candidate[a]
    ratio = (rows.taken[item] + WEIGHT_UNIT) / (rows.taken[last_item] + WEIGHT_UNIT)
    between_s = LONGEST_S
    if rows.first_s[item] < np.inf:
        between_s = abs(rows.first_s[item] - rows.first_s[last_item])
    workspace.feature[a, column] = 2.5 - 1.2 * abs(math.log(ratio))
    workspace.feature[a, column + 1] = (7.0 - _minutes(between_s)) / 3.0


@inner_kernel
def _write_place(
    workspace: Workspace, a: int, column: int, history: NDArray[np.int32], n_history: int
) -> None:
    _write_absent(workspace, a, column)
    for r in range(n_history):
        if history[r] == workspace.candidate[a]:
            workspace.feature[a, column] = max(2.5 - 1.2 * math.log(r + 1.0), ABSENT)
            workspace.missing[a, column] = 0.0
            break


@kernel
def write_features(
    view: ItemView,
    workspace: Workspace,
    user_factor: NDArray[np.float32],
    history: NDArray[np.int32],
    n_history: int,
    n_touched: int,
    n_candidates: int,
    now_s: float,
    stamp: int,
) -> None:
    """Fill `workspace.feature` and `workspace.missing` for all candidates.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        With sources accumulated and candidates collected under `stamp`.
    user_factor : float32[F]
    history : int32[R]
        The user's item slots, newest first; the first `n_history` are valid.
    now_s : float
        Event time of the ranking.
    """
    n_lists = len(view.total)
    other = n_lists + N_LINK_SOURCES
    has_place = workspace.feature.shape[1] == other + N_OTHER
    for a in range(n_candidates):
        item = workspace.candidate[a]
        for which in range(n_lists):
            log_share = (view.top.keys[item, which] - view.total[which]) * LN_2
            if log_share > LOG_SHARE_NOTHING:
                _write_share(workspace, a, which, log_share)
            else:
                _write_absent(workspace, a, which)
        workspace.feature[a, other] = (_minutes(now_s - view.rows.first_s[item]) - 7.0) / 4.0
        workspace.feature[a, other + 1] = (_minutes(now_s - view.rows.last_s[item]) - 7.0) / 4.0
        workspace.feature[a, other + 2] = predict(view, user_factor, item)
        workspace.feature[a, other + 3] = 0.0
        workspace.feature[a, other + 4] = 0.0
        if n_history > 0:
            _write_likeness(view, workspace, a, other + 3, widen(history[0]))
        if has_place:
            _write_place(workspace, a, other + 5, history, n_history)
    _write_link_shares(workspace, n_touched, n_candidates, n_lists, stamp)


@kernel
def silence(workspace: Workspace, columns: NDArray[np.int32], n_candidates: int) -> None:
    """Let features say nothing of any candidate, to see how good a list is without them.

    Parameters
    ----------
    workspace : Workspace
        `feature` and `missing` are written.
    columns : int32[S]
        Of those that the workspace has.
    n_candidates : int
    """
    for column in columns:
        for a in range(n_candidates):
            _write_absent(workspace, a, column)
