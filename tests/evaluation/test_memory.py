"""Laws of measured memory: what is reachable counts, each once, whoever else refers to it."""

from __future__ import annotations

import numpy as np

from stream_rec.cli.evaluation.memory import memory_bytes
from tests.evaluation.logs import columns_of

MEGABYTE = np.zeros(1_000_000, np.uint8)


class Model:
    def __init__(self) -> None:
        self.array = MEGABYTE.copy()
        self.rows = {"same": self.array, "part": self.array[5:10]}
        self.log = MEGABYTE


def test_arrays_count_once_and_the_log_not_at_all() -> None:
    assert 1_000_000 < memory_bytes(Model(), without=[MEGABYTE]) < 1_020_000
    assert 2_000_000 < memory_bytes(Model()) < 2_020_000


def test_a_view_counts_with_the_array_behind_it() -> None:
    assert memory_bytes([MEGABYTE[:10]]) > 1_000_000


def test_code_is_no_part_of_a_model() -> None:
    assert memory_bytes([np, columns_of, Model]) < 1_000
