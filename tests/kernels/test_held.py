"""A kernel sees what is held, and no other arrays than those that the tuple has now."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.errors import TypingError

from stream_rec.kernels.hash_index import HashIndex
from stream_rec.kernels.held import Holder, hold
from stream_rec.kernels.jit import kernel
from stream_rec.kernels.view import ItemView
from stream_rec.model.ranking import Recipe
from tests.kernels.views import known_view

RECIPE = Recipe(
    half_lives_s=np.zeros(3),
    scan_limits=np.zeros(30, np.int32),
    linked_candidates=1,
    candidates_max=2,
    list_length=3,
    links_max=4,
    seen_max=5,
    burst_max=6,
    learning_rate=0.7,
    exclude_seen=True,
    n_left_out=0,
    proposes_seen=False,
    silent=np.zeros(0, np.int32),
)


@kernel
def _add_first(held: HashIndex, number: int) -> int:
    held.table[0] += number
    return int(held.hashes[0]) + int(held.table[0])


@kernel
def _last_known(held: ItemView) -> tuple[float, float, int]:
    item = len(held.factor) - 1
    return held.factor[item, 1], held.rows.last_s[item], len(held.top.items)


@kernel
def _numbers_of(held: Recipe) -> tuple[int, float, bool, bool, int]:
    flags = held.exclude_seen, held.proposes_seen
    return held.list_length, held.learning_rate, *flags, len(held.silent)


@kernel
def _read_unknown(held: HashIndex) -> int:
    return held.unknown  # type: ignore[attr-defined, no-any-return]


def _index(*numbers: int) -> HashIndex:
    """A tuple of the package: what is held is compiled and kept for its type, for all to load."""
    return HashIndex(
        np.full(100_000, numbers[0], np.uint64), np.full(100_000, numbers[1], np.int32)
    )


def test_a_kernel_changes_the_arrays_themselves() -> None:
    index = _index(10, 0)

    assert _add_first(hold(index), 1) == 11
    assert index.table[:2].tolist() == [1, 0]


def test_a_kernel_reads_tables_and_tuples_in_a_tuple() -> None:
    view = known_view(1)

    expected = view.factor[-1, 1], view.rows.last_s[-1], len(view.top.items)
    assert _last_known(hold(view)) == expected


@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans(), st.booleans())
def test_a_kernel_reads_numbers_and_flags_in_a_tuple(
    length: int, rate: float, excludes: bool, proposes: bool
) -> None:
    recipe = RECIPE._replace(
        list_length=length, learning_rate=rate, exclude_seen=excludes, proposes_seen=proposes
    )

    assert _numbers_of(hold(recipe)) == (length, rate, excludes, proposes, 0)


def test_what_a_tuple_has_not_is_an_error_when_the_kernel_is_compiled() -> None:
    with pytest.raises(TypingError, match="unknown"):
        _read_unknown(hold(_index(1, 2)))


def test_it_is_taken_apart_anew_only_when_a_part_is_another() -> None:
    index, other, holder = _index(1, 2), _index(10, 20), Holder[HashIndex]()
    held = holder.of(index)

    assert holder.of(HashIndex(*index)) is held
    assert holder.of(HashIndex(index.hashes, other.table)) is not held
    assert _add_first(holder.of(HashIndex(index.hashes, other.table)), 0) == 21


def test_arrays_live_as_long_as_they_are_held() -> None:
    held = hold(_index(3, 4))
    gc.collect()
    others = [_index(5, 5) for _ in range(4)]

    assert _add_first(held, 0) == 7
    assert len(others) == 4
