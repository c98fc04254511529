"""Features: what each source says of each candidate, on one scale for all logs.

A source enters as the logarithm of its share, x = (max(ln share, −14) + 7) / 3 with share = value /
sum over all items, so that neither the size of the log nor a source's own scale matters; a source
that says nothing gives x = −2.5 and a flag of its own, because the logarithm of nothing is not just
a small number. Then age, idle time, the implicit factors' prediction, and how alike the candidate
and the user's last item are in count and in time of first sight: people go through the known and
the obscure, the new and the old, in runs, and no link is needed to see that. Then the cosines of
the candidate's implicit factor with the user's and with the last item's: the prediction grows with
popularity, an angle does not. Then the ranker's bias of the item, because whether it was taken more
often than expected does not tell as much in every situation; the root of what all that the user
ever took says of it (slim.py); how near it stands to the last item in the order of ids
(id_order.py). Last, its place r in the user's history, 0 the newest, as the logarithm of
1 / (r + 1): where users take the same items again, the latest come first.

    columns: H popularities, all-time popularity, N_LINK_SOURCES link sources, age, idle, factor,
             like_count, like_first, factor_cosine, like_factor, bias, slim, like_id, place

Weights have a column of the place, always; a workspace only where seen items are candidates.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.angles import write_cosines
from stream_rec.kernels.elementary import ln
from stream_rec.kernels.id_order import write_like_id
from stream_rec.kernels.item_rows import WEIGHT_UNIT
from stream_rec.kernels.jit import (
    fill,
    inline_kernel,
    inner_kernel,
    kernel,
    place_of,
    spliced_kernel,
    widen,
)
from stream_rec.kernels.slim import write_slim
from stream_rec.kernels.sources import predict
from stream_rec.kernels.view import ItemView
from stream_rec.kernels.workspace import (
    N_BUCKETS,
    N_LINK_SOURCES,
    SOURCE_COLUMNS,
    Workspace,
)

LINK_FEATURES = "near_inverse", "near_root", "wide_root", "after_inverse", "after_last"
OTHER_FEATURES = (
    "age",
    "idle",
    "factor",
    "like_count",
    "like_first",
    "factor_cosine",
    "like_factor",
    "bias",
    "slim",
    "like_id",
    "place",
)
"""Those that are no shares."""
N_OTHER = len(OTHER_FEATURES)
LOG_SHARE_MIN = -14.0
LOG_SHARE_NOTHING = -27.6
"""A decayed popularity below this share (1e-12) says nothing."""
SHARE_MIN = 1e-30
"""Far below e^LOG_SHARE_MIN, but large enough to have a logarithm in single precision."""
ABSENT = -2.5
SLIM_NOTHING = -1.0
"""Where nothing that the user took speaks for a candidate."""
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
    fill(context, 0.0)
    context[history_bucket(n_distinct)] = 1.0
    context[N_BUCKETS] = math.log(1.0 + n_distinct) / 3.0 - 0.5
    if n_distinct > 0:
        context[N_BUCKETS + 1] = (_minutes(gap_s) - 4.0) / 4.0
    context[N_BUCKETS + 2] = (math.log(1.0 + last_item_count / WEIGHT_UNIT) - 4.0) / 3.0


@inline_kernel
def _x_of(log_share: np.float32) -> np.float32:
    return (max(log_share, np.float32(LOG_SHARE_MIN)) + np.float32(7.0)) * np.float32(1.0 / 3.0)


@inline_kernel
def _minutes_from_1(seconds: float) -> np.float32:
    """Return 1 + minutes; time that runs backwards counts as none; see `_minutes`."""
    return np.float32(1.0 + min(max(seconds, 0.0), LONGEST_S) * (1.0 / 60.0))


@inner_kernel
def _write_popularity(view: ItemView, workspace: Workspace, n_candidates: int) -> None:
    for which in range(len(view.total)):
        total, keys = view.total[which], view.top.keys
        x, missing = workspace.feature[which], workspace.missing[which]
        for a in range(n_candidates):
            log_share = (keys[workspace.candidate[a], which] - total) * LN_2
            speaks = log_share > LOG_SHARE_NOTHING
            x[a] = _x_of(np.float32(log_share)) if speaks else np.float32(ABSENT)
            missing[a] = np.float32(0.0) if speaks else np.float32(1.0)


@inner_kernel
def _write_link_shares(workspace: Workspace, n_candidates: int, first_column: int) -> None:
    source = workspace.source.reshape(-1)
    for s in range(N_LINK_SOURCES):
        total = workspace.source_total[s]
        x, missing = workspace.feature[first_column + s], workspace.missing[first_column + s]
        to_share = np.float32(1.0 / total if total > 0.0 else 0.0)
        for a in range(n_candidates):
            row = place_of(workspace.candidate[a]) * place_of(SOURCE_COLUMNS)
            x[a] = source[row + place_of(s)] * to_share
        for a in range(n_candidates):
            speaks = x[a] > 0.0
            logarithm = _x_of(ln(max(x[a], np.float32(SHARE_MIN))))
            x[a] = logarithm if speaks else np.float32(ABSENT)
            missing[a] = np.float32(0.0) if speaks else np.float32(1.0)


@inner_kernel
def _write_times(
    view: ItemView, workspace: Workspace, n_candidates: int, column: int, now_s: float
) -> None:
    """Write age and idle time."""
    rows, age, idle = view.rows, workspace.feature[column], workspace.feature[column + 1]
    for a in range(n_candidates):
        item = workspace.candidate[a]
        age[a] = _minutes_from_1(now_s - rows.first_s[item])
        idle[a] = _minutes_from_1(now_s - rows.last_s[item])
    for x in (age, idle):
        for a in range(n_candidates):
            x[a] = (ln(x[a]) - np.float32(7.0)) * np.float32(0.25)


@inner_kernel
def _write_likeness(
    view: ItemView, workspace: Workspace, n_candidates: int, column: int, last_item: int
) -> None:
    """Compare candidates with the last item: by the ratio of counts, by time between firsts."""
    rows = view.rows
    like_count, like_first = workspace.feature[column], workspace.feature[column + 1]
    to_ratio = 1.0 / (rows.taken[last_item] + WEIGHT_UNIT)
    for a in range(n_candidates):
        item = workspace.candidate[a]
        like_count[a] = (rows.taken[item] + WEIGHT_UNIT) * to_ratio
        between_s = abs(rows.first_s[item] - rows.first_s[last_item])
        like_first[a] = _minutes_from_1(between_s if rows.first_s[item] < np.inf else LONGEST_S)
    for a in range(n_candidates):
        like_count[a] = np.float32(2.5) - np.float32(1.2) * abs(ln(like_count[a]))
        like_first[a] = (np.float32(7.0) - ln(like_first[a])) * np.float32(1.0 / 3.0)


@inner_kernel
def _write_places(
    workspace: Workspace,
    n_candidates: int,
    column: int,
    history: NDArray[np.int32],
    n_history: int,
) -> None:
    x, missing = workspace.feature[column], workspace.missing[column]
    for a in range(n_candidates):
        x[a], missing[a] = ABSENT, 1.0
        for r in range(n_history):
            if history[r] == workspace.candidate[a]:
                x[a], missing[a] = max(2.5 - 1.2 * math.log(r + 1.0), ABSENT), 0.0
                break


@spliced_kernel
def write_features(
    view: ItemView,
    workspace: Workspace,
    user_factor: NDArray[np.float32],
    history: NDArray[np.int32],
    n_history: int,
    n_candidates: int,
    now_s: float,
) -> None:
    """Fill `workspace.feature` and `workspace.missing` for all candidates.

    Parameters
    ----------
    view : ItemView
    workspace : Workspace
        With sources accumulated and candidates collected.
    user_factor : float32[F]
    history : int32[R]
        The user's item slots, newest first; the first `n_history` are valid.
    now_s : float
        Event time of the ranking.
    """
    n_lists = len(view.total)
    other = n_lists + N_LINK_SOURCES
    _write_popularity(view, workspace, n_candidates)
    _write_link_shares(workspace, n_candidates, n_lists)
    _write_times(view, workspace, n_candidates, other, now_s)
    factors, factor_x = view.factor, workspace.feature[other + 2]
    flat = factors.reshape(-1)
    for a in range(n_candidates):
        factor_x[a] = predict(flat, user_factor, workspace.candidate[a])
    if n_history > 0:
        _write_likeness(view, workspace, n_candidates, other + 3, widen(history[0]))
        last_factor, like_factor = factors[history[0]], workspace.feature[other + 6]
        write_cosines(factors, last_factor, workspace.candidate, n_candidates, like_factor)
    else:
        for column in (3, 4, 6):
            fill(workspace.feature[other + column, :n_candidates], 0.0)
    cosine = workspace.feature[other + 5]
    write_cosines(factors, user_factor, workspace.candidate, n_candidates, cosine)
    bias = workspace.feature[other + 7]
    for a in range(n_candidates):
        bias[a] = min(max(view.rows.bias[workspace.candidate[a]], ABSENT), -ABSENT)
    slim = workspace.feature[other + 8]
    write_slim(view.slim, workspace, n_candidates, slim)
    for a in range(n_candidates):
        root = np.float32(3.0) * np.sqrt(slim[a])
        slim[a] = min(root + np.float32(SLIM_NOTHING), np.float32(-ABSENT))
    write_like_id(workspace, n_candidates, workspace.feature[other + 9])
    if len(workspace.feature) == other + N_OTHER:
        _write_places(workspace, n_candidates, other + 10, history, n_history)


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
        fill(workspace.feature[column, :n_candidates], ABSENT)
        fill(workspace.missing[column, :n_candidates], 1.0)
