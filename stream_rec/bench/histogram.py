"""Latencies in an HdrHistogram, and its percentiles in ms."""

from __future__ import annotations

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3


def histogram_of(took_s: NDArray[np.float64]) -> HdrHistogram:
    """Record latencies, in seconds, in a histogram in µs.

    Examples
    --------
    >>> percentile_ms(histogram_of(np.array([0.001, 0.002, 0.003])), 50)
    2.0
    """
    histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for took_us in np.maximum(took_s * 1e6, LOWEST_US).astype(np.int64).tolist():
        histogram.record_value(took_us)
    return histogram


def percentile_ms(histogram: HdrHistogram, percentile: float) -> float:
    """Return a percentile of a histogram in µs, in ms."""
    return float(histogram.get_value_at_percentile(percentile)) / 1000
