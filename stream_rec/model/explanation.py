"""Why a user gets a list: what each source says of each item, and what the ranker makes of it.

A source's part in a score is how much the score falls when the source says nothing of the item:
its columns are blanked, and the ranker's own kernel scores anew. Parts do not add up to the score,
because the hidden units see all sources together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels.features import ABSENT, OTHER_FEATURES, SLIM_NOTHING, history_bucket
from stream_rec.kernels.ranker import score_candidates
from stream_rec.model.engine import Engine
from stream_rec.model.inquiry import Inquiry
from stream_rec.model.lists import Listed
from stream_rec.model.message import source_names

FEATURES_OF = {
    "factors": ("factor", "factor_cosine", "like_factor"),
    "taste": ("slim",),
    "id_order": ("like_id",),
}
"""Of the sources whose features are no shares; taste is what all that the user ever took says
together."""
NOTHING = {"factors": 0.0, "taste": SLIM_NOTHING, "id_order": 0.0}
"""What their features are where they say nothing; those of all others are ABSENT, and flagged."""
SILENT_AT_NOTHING = "taste", "id_order"
"""Those that are silent exactly where their feature equals NOTHING."""


class Spoken(NamedTuple):
    """What one source adds to a list.

    Attributes
    ----------
    says : float64[n]
        How strongly it speaks for each item, on the ranker's scale; −inf where it says nothing.
    part : float64[n]
        Its part in each score.
    """

    says: NDArray[np.float64]
    part: NDArray[np.float64]


class Explanation(NamedTuple):
    """A list in its order, and by the name of each source what it adds."""

    listed: Listed
    sources: dict[str, Spoken]


def explain(
    engine: Engine, inquiry: Inquiry, user: str, row: bytes, given: Sequence[str], now_s: float
) -> Explanation:
    """Explain what items get of a user, and order them by it.

    Parameters
    ----------
    engine : Engine
    inquiry : Inquiry
        Of this engine.
    user : str
    row : bytes
        The user's profile row.
    given : sequence of str
        Mostly the user's list; those that nobody has taken yet are left out.
    now_s : float
    """
    n_distinct = inquiry.summary(user, row).n_distinct
    listed = inquiry.order_for_profile(user, row, given, now_s)  # fills the workspace with these
    reading, n_given = engine.reading(), len(listed.items)
    workspace, ranker = reading.workspace, reading.learned.ranker
    bias, bucket = reading.items.rows.bias, history_bucket(n_distinct)

    def scores() -> NDArray[np.float64]:
        score_candidates(ranker, bias, workspace, n_given, bucket)
        return workspace.score[:n_given].astype(np.float64)

    whole = scores()
    place = {slot: a for a, slot in enumerate(workspace.candidate[:n_given].tolist())}
    order = [place[slot] for slot in listed.items.tolist()]
    sources = {}
    for name, columns in _columns(source_names(engine.half_lives_s)).items():
        feature = workspace.feature[columns, :n_given].copy()
        missing = workspace.missing[columns, :n_given].copy()
        blank = (NOTHING[name], 0.0) if name in NOTHING else (ABSENT, 1.0)
        workspace.feature[columns, :n_given], workspace.missing[columns, :n_given] = blank
        part = whole - scores()
        workspace.feature[columns, :n_given], workspace.missing[columns, :n_given] = (
            feature,
            missing,
        )
        is_silent = feature == NOTHING[name] if name in SILENT_AT_NOTHING else missing > 0
        says = np.where(is_silent, -np.inf, feature).max(axis=0).astype(np.float64)
        sources[name] = Spoken(says[order], part[order])
    return Explanation(listed, sources)


def _columns(names: list[str]) -> dict[str, list[int]]:
    """Return the feature columns of each source by its name; `names` ends with that of none."""
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(names[:-1]):
        columns.setdefault(name, []).append(column)
    for name, features in FEATURES_OF.items():
        columns[name] = [len(names) - 1 + OTHER_FEATURES.index(feature) for feature in features]
    return columns
