"""What is compiled early is what the fold calls: for other types it would be compiled in vain."""

from __future__ import annotations

from typing import Any

import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.held import hold
from stream_rec.model.early_kernels import EarlyKernel, learning_kernels, ranking_kernels
from stream_rec.model.warm_up import warm_up

CALLED_BY_FOLD = [
    early for early in learning_kernels() + ranking_kernels() if early.kernel is not hold
]


def on_disk(kernel: Any) -> set[tuple[Any, ...]]:
    """Return the types that a kernel was ever compiled for."""
    return {key[0] for key in kernel._cache._cache_file._load_index()}


@pytest.mark.parametrize("early", CALLED_BY_FOLD, ids=lambda early: early.kernel.__name__)
def test_nothing_is_compiled_twice(early: EarlyKernel) -> None:
    warm_up(ModelSettings(), EventSettings())
    assert on_disk(early.kernel) == {early.signature}
