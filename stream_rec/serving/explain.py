"""Why a user gets this list: what each source says of each item, and what the ranker makes of it.

A source's part in a score is how much the score falls when the source says nothing of any item:
its columns are blanked, and the ranker's own kernel scores anew. Parts do not add up to the score,
because the hidden units see all sources together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stream_rec.kernels.features import ABSENT, history_bucket
from stream_rec.kernels.ranker import score_candidates
from stream_rec.model.message import source_names
from stream_rec.serving.catalogue import Catalogue

N_LISTED = 10
FACTOR = "factors"


def explain(catalogue: Catalogue, user: str, row: bytes) -> list[dict[str, Any]]:
    """Explain the list of a user with this profile row.

    Returns
    -------
    list of dict
        For each item: item, score, reasons, and ``sources`` by name with ``says`` (how strongly it
        speaks for the item, on the ranker's scale, None if it says nothing) and ``part``.
    """
    inquiry, engine = catalogue.inquiry, catalogue.engine
    listed = inquiry.list_for_profile(user, row, N_LISTED, catalogue.now_s)
    given = [entry["item"] for entry in catalogue.entries(listed)]
    n_distinct = inquiry.summary(user, row).n_distinct
    entries = catalogue.entries(inquiry.order_for_profile(user, row, given, catalogue.now_s))
    reading = engine.reading()
    workspace, n = reading.workspace, len(entries)
    bias, bucket = reading.view.rows.bias, history_bucket(n_distinct)

    def scores() -> np.ndarray[Any, np.dtype[np.float64]]:
        score_candidates(reading.learned.ranker, bias, workspace, n, bucket)
        return workspace.score[:n].copy()

    whole = scores()
    order = {engine.items.ids.texts[slot]: a for a, slot in enumerate(workspace.candidate[:n])}
    sources: dict[str, tuple[list[float | None], list[float]]] = {}
    for name, columns in _columns(catalogue).items():
        kept = workspace.feature[:n, columns].copy(), workspace.missing[:n, columns].copy()
        workspace.feature[:n, columns] = ABSENT
        workspace.missing[:n, columns] = 1.0
        parts = whole - scores()
        workspace.feature[:n, columns], workspace.missing[:n, columns] = kept
        says = np.where(kept[1] > 0, -np.inf, kept[0]).max(axis=1)
        spoken = [float(value) if np.isfinite(value) else None for value in says]
        sources[name] = (spoken, parts.tolist())
    for entry in entries:
        a = order[entry["item"]]
        entry["sources"] = {
            name: {"says": _short(says[a]), "part": _short(parts[a])}
            for name, (says, parts) in sources.items()
        }
    return entries


def _columns(catalogue: Catalogue) -> dict[str, list[int]]:
    """Return the feature columns of each source by its name."""
    columns: dict[str, list[int]] = {}
    names = source_names(catalogue.engine.half_lives_s)
    for column, name in enumerate(names[:-1]):
        columns.setdefault(name, []).append(column)
    columns[FACTOR] = [len(names) + 1]  # behind the sources come age, idle, factor
    return columns


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
