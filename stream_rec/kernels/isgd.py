"""Incremental matrix factorisation for positive-only feedback (ISGD): one gradient step an event.

    r̂(u, i) = ⟨p_u, q_i⟩        loss = (1 − r̂)² + λ (|p_u|² + |q_i|²)

Each event (u, i) is one observation of the value 1. With e = 1 − ⟨p_u, q_i⟩ the user is stepped
first and the item then uses the new user factor, as in the paper's algorithm:

    p_u ← p_u + η (e q_i − λ p_u)
    q_i ← q_i + η (e p_u − λ q_i)

It knows no unseen items, so nothing keeps the values of unrelated pairs down except the starting
point near 0 and λ. It is here as the reference of the literature; `ridge` is what the engine uses.

Source: J. Vinagre, A. Jorge and J. Gama, "Fast incremental matrix factorization for recommendation
with positive-only feedback", UMAP 2014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.jit import kernel


@kernel
def predict_preference(
    user_factor: NDArray[np.floating], item_factor: NDArray[np.floating]
) -> float:
    """Return r̂, near 1 for what the user takes and near 0 where nothing is known.

    Parameters
    ----------
    user_factor, item_factor : float[d]

    Returns
    -------
    float
    """
    preference = 0.0
    for f in range(user_factor.shape[0]):
        preference += user_factor[f] * item_factor[f]
    return preference


@kernel
def learn_positive(
    user_factor: NDArray[np.floating],
    item_factor: NDArray[np.floating],
    learning_rate: float,
    reg: float,
) -> float:
    """Learn one positive event: step the user towards the item, then the item towards the user.

    Parameters
    ----------
    user_factor, item_factor : float[d]
        Modified in place. A new one starts near 0 (`init_factors`), not at 0, which no gradient
        leaves.
    learning_rate : float
        η.
    reg : float
        λ, the pull towards 0.

    Returns
    -------
    float
        1 − r̂ before the step.

    Examples
    --------
    >>> alice, star_wars = np.array([0.1, -0.2]), np.array([0.3, 0.1])
    >>> for _ in range(100):
    ...     error = learn_positive(alice, star_wars, 0.05, 0.01)
    >>> round(predict_preference(alice, star_wars), 2)
    0.99
    """
    error = 1.0 - predict_preference(user_factor, item_factor)
    for f in range(user_factor.shape[0]):
        user_factor[f] += learning_rate * (error * item_factor[f] - reg * user_factor[f])
    for f in range(user_factor.shape[0]):
        item_factor[f] += learning_rate * (error * user_factor[f] - reg * item_factor[f])
    return error
