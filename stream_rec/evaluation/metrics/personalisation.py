"""Personalisation: how different the lists of two users are, on average.

    personalisation = 1 − mean over pairs of users of |A ∩ B| / √(|A| |B|)

1 when no two users share an item, 0 when all have the same list, or there are not two of them. The
sum over all pairs is taken item by item, Σ_{A≠B} = (Σ_A w_A)² − Σ_A w_A² with w = 1/√|A|, so it is
exact and costs no more than the lists are long.

Source: Zhou et al., PNAS 2010 (inter-user diversity), with the cosine of the lists.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def personalisation(lists: NDArray[np.int32], n_items: int) -> float:
    """Return the mean distance of two users' lists.

    Parameters
    ----------
    lists : int32[U, n]
        One list a user, −1 where it is shorter; items distinct within a list.
    n_items : int

    Examples
    --------
    >>> round(personalisation(np.array([[0, 1], [0, 2]], np.int32), 3), 4)
    0.5
    """
    listed = lists >= 0
    lengths = listed.sum(axis=1)
    n_users = int(np.count_nonzero(lengths))
    if n_users < 2:
        return 0.0
    weight = np.repeat(1.0 / np.sqrt(np.maximum(lengths, 1)), lengths)
    items = lists[listed]
    total = np.bincount(items, weight, n_items)
    own = np.bincount(items, weight * weight, n_items)
    overlap = float((total * total - own).sum()) / (n_users * (n_users - 1))
    return 1.0 - overlap
