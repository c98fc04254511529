"""Logs for tests of the evaluation: recorded ones where they are, made-up ones anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from stream_rec.config import EventSettings
from stream_rec.evaluation.columns import ColumnsBuilder, LogColumns
from stream_rec.logs import LogRow, open_log

DATA = Path(os.environ.get("STREAM_REC_DATA", Path(__file__).parents[3] / "shared" / "data"))


def columns_of(rows: Iterable[LogRow]) -> LogColumns:
    builder = ColumnsBuilder(EventSettings())
    for row in rows:
        builder.add(row)
    return builder.build()


def recorded_path(name: str) -> Path:
    """Return where a recorded log is; skip the test where the logs are not there."""
    path = DATA / name / "events.csv.gz"
    if not path.exists():
        pytest.skip(f"recorded log {name} is not in {DATA}; set STREAM_REC_DATA to where it is")
    return path


def recorded_columns(name: str, n_events: int) -> LogColumns:
    with open_log(recorded_path(name)) as log:
        return columns_of(islice(log.rows(), n_events))


def made_up_rows(n: int, *, n_users: int = 15, n_items: int = 30, seed: int = 0) -> list[LogRow]:
    """Return clicks and some dislikes of users who mostly take items of one of three groups."""
    random = np.random.default_rng(seed)
    rows = []
    for x in range(n):
        user = int(random.integers(n_users))
        group = user % 3 if random.random() < 0.8 else int(random.integers(3))
        item = 3 * int(random.integers(n_items // 3)) + group
        kind = "dislike" if random.random() < 0.05 else "click"
        rows.append(LogRow(f"u{user}", f"i{item}", kind, ts_ms=1_700_000_000_000 + 60_000 * x))
    return rows
