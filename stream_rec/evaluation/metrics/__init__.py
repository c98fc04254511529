"""Metrics, one a file: definition, formula, edge cases, source.

Rank metrics turn the rank of each scored event into a gain; the metric is the mean of the gains, so
that running means, windows, groups and confidence intervals are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.metrics.hit_rate import hit_gains
from stream_rec.evaluation.metrics.mrr import reciprocal_rank_gains
from stream_rec.evaluation.metrics.ndcg import ndcg_gains

RankMetric = Callable[[NDArray[np.int32], int], NDArray[np.float64]]
"""(ranks, k) → gains."""

RANK_METRICS: Mapping[str, RankMetric] = MappingProxyType(
    {"hr": hit_gains, "ndcg": ndcg_gains, "mrr": reciprocal_rank_gains}
)
"""By the name they have in reports."""


def rank_metrics(rank: NDArray[np.int32], k: int) -> dict[str, float]:
    """Return every rank metric over scored events; 0 over none.

    Parameters
    ----------
    rank : int32[E]
        Place of the item taken, from 0; negative where it was not listed.
    k : int

    Examples
    --------
    >>> rank_metrics(np.array([0, 2, -1, -1], np.int32), 10)
    {'hr': 0.5, 'ndcg': 0.375, 'mrr': 0.3333333333333333}
    """
    n = max(len(rank), 1)
    return {name: float(gains(rank, k).sum()) / n for name, gains in RANK_METRICS.items()}
