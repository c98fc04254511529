"""Sparse linear models: what of everything that a user ever took speaks for an item.

    s(i) = Σ_k w_ik · [the user took j_k],   j_1 … j_K the strongest neighbours of i
    w_i  = argmin_{w ≥ 0} |x_i − Σ_k w_k x_jk|² + λ |w|²

where column x_j has a 1 for each user who took j. Only products of columns enter: x_i·x_j is how
often both were taken within one kept history (`wide` in links.py), x_j·x_j how often j was taken
after something else (the number in its evidence). No product is taken for more than that of a
column with itself, as windows, repeats and what users took first would let it be. A link source
looks at a user's last items, and counts a taste once for each of them that shows it; here a weight
is what a neighbour says beside all other neighbours, and nothing is too long ago. Of what a user
has seen, a profile does not tell what was rejected; it counts as taken here.

Weights are derived: solved from the view by coordinate descent from 0, anew when a tenth more users
have taken the item, and in turn (`solve_next`), because those of its neighbours change as well, and
a view that follows other partitions may have met an item before its neighbours. After a recovery
all are solved, so lists may differ a little from those of before.

Sources: X. Ning and G. Karypis, "SLIM: sparse linear methods for top-n recommender systems", ICDM
2011; H. Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019 (a ridge regression
that needs the products only). To take the strongest neighbours alone is ours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.item_rows import WEIGHT_UNIT, ItemRows
from stream_rec.kernels.jit import (
    fill,
    inline_kernel,
    inner_kernel,
    kernel,
    place_of,
    vector_kernel,
    widen,
)
from stream_rec.kernels.selection import take_largest
from stream_rec.kernels.workspace import N_REGRESSORS, Workspace

REG = 30.0
"""λ, in users: a neighbour that fewer have taken says little. Flat from 10 to 100."""
N_SWEEPS = 6
"""Of coordinate descent: within half a per cent of the least sum of squares."""
GROWTH = 0.1
"""By which share more users must have taken an item until its weights are solved anew."""
GROWTH_MIN = 1.5
"""Users that must be more in any case: two."""
SCANNED_MAX = 64
"""Links of a neighbour's row, the strong ones first, that are searched for other neighbours."""
TURN_EVENTS = 16
"""One event in so many has an item solved anew whose turn it is."""


class SlimRows(NamedTuple):
    """Weights of N items, each for K neighbours.

    Attributes
    ----------
    neighbour : int32[N, K]
        Item slots.
    weight : float32[N, K]
        w ≥ 0; where there are fewer neighbours, 0.
    due : float32[N]
        How many users must have taken the item until it is to be solved anew.
    turn : int64[1]
        The item that `solve_next` takes next.
    """

    neighbour: NDArray[np.int32]
    weight: NDArray[np.float32]
    due: NDArray[np.float32]
    turn: NDArray[np.int64]


def empty_slim_rows(n_items: int) -> SlimRows:
    """Allocate rows of items that nobody has seen."""
    return SlimRows(
        neighbour=np.zeros((n_items, N_REGRESSORS), np.int32),
        weight=np.zeros((n_items, N_REGRESSORS), np.float32),
        due=np.full(n_items, GROWTH_MIN, np.float32),
        turn=np.zeros(1, np.int64),
    )


@inner_kernel
def solve_if_due(rows: ItemRows, slim: SlimRows, item: int, workspace: Workspace) -> None:
    """Solve an item's weights anew if many more users have taken it since they were solved.

    Parameters
    ----------
    rows : ItemRows
        The view's.
    slim : SlimRows
        Modified in place.
    item : int
    workspace : Workspace
        What begins with `slim_`, and `top_key`, is overwritten.
    """
    if rows.evidence[item, 0] >= slim.due[item]:
        _solve(rows, slim, item, workspace)


@kernel
def solve_slim(
    rows: ItemRows, slim: SlimRows, items: NDArray[np.int64], anew: bool, workspace: Workspace
) -> None:
    """Solve the weights of items whose rows were summed anew: of all, or of those that are due.

    Parameters are those of `solve_if_due`.
    """
    for item in items:
        if anew:
            _solve(rows, slim, item, workspace)
        else:
            solve_if_due(rows, slim, item, workspace)


@kernel
def solve_next(rows: ItemRows, slim: SlimRows, n_items: int, workspace: Workspace) -> None:
    """Solve the weights of the next so many items in turn, over and over; see `solve_if_due`."""
    for _ in range(n_items):
        _solve(rows, slim, widen(slim.turn[0]), workspace)
        slim.turn[0] = (slim.turn[0] + 1) % len(slim.due)


@inner_kernel
def _solve(rows: ItemRows, slim: SlimRows, item: int, workspace: Workspace) -> None:
    neighbour, weight = slim.neighbour[item], slim.weight[item]
    n_takers = rows.evidence[item, 0]
    if n_takers < GROWTH_MIN:
        fill(weight, 0.0)
        slim.due[item] = GROWTH_MIN
        return
    slim.due[item] = n_takers + max(np.float32(GROWTH) * n_takers, np.float32(GROWTH_MIN))
    n = _choose_neighbours(rows, item, neighbour, workspace)
    _collect_products(rows, neighbour, n, workspace)
    _descend(workspace.slim_matrix, workspace.slim_target, n, weight)


@inner_kernel
def _choose_neighbours(
    rows: ItemRows, item: int, neighbour: NDArray[np.int32], workspace: Workspace
) -> int:
    """Write the strongest neighbours, and the products with them as target; return their number."""
    links, key = rows.links, workspace.top_key[0]
    start, length = widen(links.start[item]), widen(links.length[item])
    for x in range(place_of(length)):
        key[x] = np.float32(links.wide[place_of(start) + x])
    n = take_largest(key, length, N_REGRESSORS, workspace.slim_at)
    for p in range(n):
        at = workspace.slim_at[p]
        neighbour[p] = links.neighbour[start + at]
        workspace.slim_target[p] = key[at]
    return n


@inner_kernel
def _collect_products(
    rows: ItemRows, neighbour: NDArray[np.int32], n: int, workspace: Workspace
) -> None:
    """Write the products of neighbours with each other, and of each with itself plus λ.

    A full row may have lost a link that its counterpart still has: the larger count is right. What
    links to others lands in the first column of `slim_found`, which nobody reads: a branch would be
    guessed wrong too often.
    """
    links, place, matrix = rows.links, workspace.slim_place, workspace.slim_matrix
    found, width = workspace.slim_found.reshape(-1), place_of(N_REGRESSORS + 1)
    for p in range(n):
        place[neighbour[p]] = p + 1
    for p in range(n):
        row = place_of(p) * width
        fill(found[row : row + width], 0.0)
        start = widen(links.start[neighbour[p]])
        end = start + min(links.length[neighbour[p]], SCANNED_MAX)
        for at in range(place_of(start), place_of(end)):
            found[row + place_of(place[links.neighbour[at]])] = np.float32(links.wide[at])
    for p in range(n):
        place[neighbour[p]] = 0
        for q in range(p):
            both = max(workspace.slim_found[p, q + 1], workspace.slim_found[q, p + 1])
            matrix[p, q] = both
            matrix[q, p] = both
        matrix[p, p] = 0.0
    for p in range(n):
        n_takers = rows.evidence[neighbour[p], 0]
        itself = max(n_takers * np.float32(WEIGHT_UNIT), workspace.slim_target[p])
        itself = max(itself, _largest(matrix[p], n))
        matrix[p, p] = itself + np.float32(REG * WEIGHT_UNIT)


@inline_kernel
def _largest(values: NDArray[np.float32], n: int) -> np.float32:
    """Return the largest of the first n values, which are not negative."""
    largest = np.float32(0.0)
    for x in range(n):
        largest = max(largest, values[x])
    return largest


@vector_kernel
def _descend(
    matrix: NDArray[np.float32],
    residual: NDArray[np.float32],
    n: int,
    weight: NDArray[np.float32],
) -> None:
    """Minimise ½ wᵀ M w − bᵀ w over w ≥ 0, coordinate by coordinate; `residual` begins as b.

    Nothing in M is negative, so no weight exceeds b / M, even where counts that windows and full
    rows cut off leave M indefinite.
    """
    fill(weight, 0.0)
    for _ in range(N_SWEEPS):
        for p in range(n):
            best = max(weight[p] + residual[p] / matrix[p, p], np.float32(0.0))
            change = best - weight[p]
            if change != 0.0:
                weight[p] = best
                for q in range(n):
                    residual[q] -= change * matrix[p, q]


@vector_kernel
def write_slim(
    slim: SlimRows, workspace: Workspace, n_candidates: int, out: NDArray[np.float32]
) -> None:
    """Write s(i) of all candidates.

    Parameters
    ----------
    slim : SlimRows
    workspace : Workspace
        With what the user took marked in `had` under the present stamp.
    n_candidates : int
    out : float32[n_candidates]
    """
    neighbour, weight = slim.neighbour.reshape(-1), slim.weight.reshape(-1)
    had, now = workspace.had, workspace.stamp[0]
    for a in range(n_candidates):
        first = place_of(workspace.candidate[a]) * place_of(N_REGRESSORS)
        total = np.float32(0.0)
        for k in range(first, first + place_of(N_REGRESSORS)):
            total += weight[k] if had[neighbour[k]] == now else np.float32(0.0)
        out[a] = total
