"""What is compiled early is what the fold calls: for other types it would be compiled in vain."""

from __future__ import annotations

import pytest

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels import kept_signatures
from stream_rec.model.early_kernels import (
    EarlyKernel,
    learning_kernels,
    question_kernels,
    ranking_kernels,
)
from stream_rec.model.warm_up import warm_up, warm_up_questions


@pytest.mark.parametrize(
    "early",
    learning_kernels() + ranking_kernels() + question_kernels(),
    ids=lambda early: early.kernel.__name__,
)
def test_nothing_is_compiled_twice(early: EarlyKernel) -> None:
    warm_up(ModelSettings(), EventSettings())
    warm_up_questions(ModelSettings(), EventSettings())
    assert kept_signatures(early.kernel) == {early.signature}
