"""A ranking of all items with numpy, from as many sources as the engine has, and its lower bound.

    score = Σ_h popularity_h · w_h + factors · user + Σ over the last items of their links

The numbers in the arrays are drawn: what is measured is what reading them costs.
"""

from __future__ import annotations

import time

import numpy as np

LIST_LENGTH = 10
COPIED_BYTES = 256 << 20
N_COPIES = 4


class BruteForce:
    """Scores every item.

    Parameters
    ----------
    n_items, n_factors, n_half_lives, n_links, n_history : int
        Sizes of what is read for one ranking.
    """

    def __init__(
        self, n_items: int, n_factors: int, n_half_lives: int, n_links: int, n_history: int
    ) -> None:
        random = np.random.default_rng(0)
        self._n_items, self._n_history = n_items, n_history
        self._popularity = random.random((n_half_lives, n_items), dtype=np.float32)
        self._factors = random.random((n_items, n_factors), dtype=np.float32)
        self._neighbours = random.integers(0, n_items, (n_items, n_links), dtype=np.int32)
        self._links = random.random((n_items, n_links), dtype=np.float32)
        self._user = random.random(n_factors, dtype=np.float32)
        self._random = random

    @property
    def bytes_read(self) -> int:
        """Bytes that a ranking reads at least once."""
        row = self._neighbours[0].nbytes + self._links[0].nbytes
        return int(self._popularity.nbytes + self._factors.nbytes + self._n_history * row)

    def rank(self) -> np.ndarray:
        """Rank for one user: int64[LIST_LENGTH], the best first."""
        history = self._random.integers(0, self._n_items, self._n_history)
        scores = self._popularity.sum(axis=0) + self._factors @ self._user
        scores += np.bincount(
            self._neighbours[history].ravel(), self._links[history].ravel(), self._n_items
        )
        top = np.argpartition(scores, -LIST_LENGTH)[-LIST_LENGTH:]
        return top[np.argsort(-scores[top])]


def brute_force_us(ranking: BruteForce, seconds_max: float) -> float:
    """Return the processor time of a ranking, in µs."""
    ranking.rank()
    started_s, n_done = time.process_time(), 0
    while (spent_s := time.process_time() - started_s) < seconds_max:
        ranking.rank()
        n_done += 1
    return spent_s * 1e6 / max(n_done, 1)


def read_bandwidth() -> float:
    """Return how many bytes a second are read here, by copying what no cache holds."""
    source = np.ones(COPIED_BYTES, dtype=np.uint8)
    target = np.empty_like(source)
    np.copyto(target, source)
    started_s = time.process_time()
    for _ in range(N_COPIES):
        np.copyto(target, source)
    return N_COPIES * COPIED_BYTES / (time.process_time() - started_s)
