"""The ranker's features by name: an evaluation can leave some out, and tells their weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream_rec.kernels.features import LINK_FEATURES, OTHER_FEATURES
from stream_rec.model.message import source_names


def feature_names(half_lives_s: Sequence[float]) -> list[str]:
    """Return the name of each feature column.

    Examples
    --------
    >>> feature_names([86_400.0])[:4]
    ['popular_1d', 'popular', 'near_inverse', 'near_root']
    """
    popular = source_names(np.array(half_lives_s))[: len(half_lives_s) + 1]
    return [*popular, *LINK_FEATURES, *OTHER_FEATURES]


def feature_columns(names: Sequence[str], half_lives_s: Sequence[float]) -> list[int]:
    """Return the columns of features.

    Parameters
    ----------
    names : sequence of str
    half_lives_s : sequence of float
        Of the popularities.

    Raises
    ------
    ValueError
        With the first name that is none.
    """
    known = feature_names(half_lives_s)
    for name in names:
        if name not in known:
            raise ValueError(f"expected names of {', '.join(known)}, came {name!r}")
    return [known.index(name) for name in names]
