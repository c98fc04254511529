"""Kernels that can be compiled before an event meets them, so that two processes share the work.

numba compiles a kernel when it is first called, after all that it calls, one after the other. What
another process has compiled by then it reads from disk. So one process may compile all that learns
from an event while a second compiles all that ranks; the first then compiles the fold around both.
For what they are called with, examples stand here; others would be compiled in vain
(tests/model/test_early_kernels.py holds them to what the fold passes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import typeof

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.bursts import count_burst
from stream_rec.kernels.held import hold
from stream_rec.kernels.profiles import forget_profile
from stream_rec.kernels.slim import solve_if_due
from stream_rec.kernels.view import refresh_popularity
from stream_rec.model.batch import Buffers
from stream_rec.model.engine import Engine
from stream_rec.model.fold_rows import fold_into, fold_profile
from stream_rec.model.learned import Partition
from stream_rec.model.learning import learn_factors, learn_ranking, learn_rating, notice_hit
from stream_rec.model.lists import empty_listed, list_for_user, order_given
from stream_rec.model.message import MessageWriter
from stream_rec.model.ranking import Model, best_of, rank_for_user
from stream_rec.model.summing import Part, count_links, sum_items

SLOT, PLACES, RANK, WEIGHT = 0, 0, np.int32(0), 0
OFFSET, SEED, EVENT_ID = np.int64(0), np.uint64(0), np.uint64(0)
TIME_S = VALUE = 0.0
FLAG = False
LINKS_MAX = 1


class EarlyKernel(NamedTuple):
    """A kernel, and what it might be called with."""

    kernel: Any
    arguments: Sequence[Any]

    def compile(self) -> None:
        """Compile it, or read it from disk."""
        self.kernel.compile(self.signature)

    @property
    def signature(self) -> tuple[Any, ...]:
        """The types of its arguments."""
        return tuple(map(typeof, self.arguments))


def ranking_kernels() -> list[EarlyKernel]:
    """Return the kernels of all that ranks."""
    model, _ = _example()
    held = hold(model)
    return [
        EarlyKernel(rank_for_user, (held, model.recipe, SLOT, TIME_S)),
        EarlyKernel(best_of, (held, SLOT, PLACES, *empty_listed(1))),
    ]


def learning_kernels() -> list[EarlyKernel]:
    """Return the kernels of all that learns from an event."""
    model, partition = _example()
    profiles, recipe, rows = model.profiles, model.recipe, partition.rows
    held = hold(model)
    both = held, hold(partition), FLAG
    event, draw = (SLOT, TIME_S, WEIGHT), (OFFSET, SEED)
    return [
        EarlyKernel(learn_ranking, (*both, PLACES, SLOT, SLOT, *draw)),
        EarlyKernel(notice_hit, (*both, RANK, OFFSET)),
        EarlyKernel(fold_into, (rows, rows.durable, held, SLOT, PLACES, *event, *draw, FLAG)),
        EarlyKernel(solve_if_due, (rows, model.items.slim, SLOT, model.workspace)),
        EarlyKernel(learn_factors, (*both, SLOT, WEIGHT, OFFSET)),
        EarlyKernel(learn_rating, (*both, SLOT, SLOT, VALUE, OFFSET)),
        EarlyKernel(fold_profile, (profiles, recipe, SLOT, *event, EVENT_ID, OFFSET, FLAG)),
        EarlyKernel(forget_profile, (profiles, SLOT)),
        EarlyKernel(count_burst, (profiles, SLOT, TIME_S)),
        EarlyKernel(refresh_popularity, (model.items, *event, recipe.half_lives_s)),
    ]


def question_kernels() -> list[EarlyKernel]:
    """Return the kernels that list for who asks."""
    model, _ = _example()
    who, given = (hold(model), SLOT, TIME_S), np.zeros(1, np.int32)
    return [
        EarlyKernel(list_for_user, (*who, model.recipe, *empty_listed(1))),
        EarlyKernel(order_given, (*who, given, *empty_listed(1))),
    ]


def compile_learning() -> None:
    """Compile what learns from an event, opens a partition, and hands the model to the fold."""
    for early in learning_kernels():
        early.compile()
    _new_engine().open_partition(0)


def compile_ranking() -> None:
    """Compile what ranks."""
    for early in ranking_kernels():
        early.compile()


def compile_writing() -> None:
    """Compile what writes messages."""
    engine, nothing = _new_engine(), Buffers(list_length=1).outcome_of(0)
    MessageWriter(engine.items.ids, engine.half_lives_s, "made-up", "made-up").write([], nothing, 0)


def compile_summing() -> None:
    """Compile what the fold does not call: the sum over partitions."""
    model, partition = _example()
    nothing, marks = np.zeros(0, np.int64), np.zeros(0, np.int32)
    part = Part(partition.rows, nothing)
    lengths = count_links([part], 0)
    sum_items(model.items.rows, nothing, [part], lengths, model.item_hash, marks, LINKS_MAX)


def compile_questions() -> None:
    """Compile what lists for who asks."""
    for early in question_kernels():
        early.compile()


def _example() -> tuple[Model, Partition]:
    """Return arrays of the types that all models have, whatever the settings."""
    engine = _new_engine()
    engine.items.open_partition(0)
    engine.weights.open_partition(0)
    return engine.reading(), engine.partition(0)


def _new_engine() -> Engine:
    return Engine(ModelSettings(), EventSettings(), source_topic="made-up", n_partitions=2)
