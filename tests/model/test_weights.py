"""What partitions learned survives encoding bit for bit, adds up, and is refused where unfit."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from stream_rec.errors import RowFormatError
from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.kernels.ranker import LINEAR_START, RankerWeights
from stream_rec.kernels.workspace import N_CONTEXT, N_HIDDEN
from stream_rec.model.learned import Learned, nothing_learned
from stream_rec.model.rows import VERSION, WEIGHTS_TYPE
from stream_rec.model.weights import Weights

N_FEATURES, N_FACTORS = 10, 3
LACKING: dict[int, list[int]] = {
    1: [2, 3, 4, 5, 6, 7, 8, 9],
    2: [4, 5, 6, 7, 8],
    3: [7, 8],
    4: [7, 8],
    5: [7, 8],
    6: [8],
}
"""The columns that rows of older versions lack."""
WINDOW_SINCE, CURVATURE_SINCE = 4, 5
"""The versions since which rows have the window of hits, and the curvature."""
START = nothing_learned(N_FEATURES, N_FACTORS, 1)


def arrays_of(learned: Learned) -> Iterator[np.ndarray]:
    yield from (*summed_of(learned), *learned.hits)


def summed_of(learned: Learned) -> Iterator[np.ndarray]:
    yield from (*learned.ranker, *learned.crowd, learned.ratings_seen)


def weights_of(*partitions: int, separate: bool = True) -> Weights:
    """Return weights with partitions open, each having learned something of its own."""
    weights = Weights(START, separate=separate)
    for partition in partitions:
        weights.open_partition(partition)
        random = np.random.default_rng(partition)
        for array in arrays_of(weights.own[partition]):
            array += random.normal(0, 1, array.shape)
        curvature = weights.own[partition].ranker.curvature
        curvature[...] = np.triu(curvature)
    weights.sum_up()
    return weights


def assert_equal(one: Learned, other: Learned) -> None:
    for a, b in zip(arrays_of(one), arrays_of(other), strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)


@pytest.mark.parametrize("separate", [False, True])
def test_what_was_learned_survives_encoding_bit_for_bit(separate: bool) -> None:
    saved, loaded = weights_of(4, separate=separate), Weights(START, separate=separate)
    loaded.open_partition(4)
    assert loaded.durable[4].tolist() == [NO_OFFSET]
    row = saved.encode(4, 77)
    loaded.load(4, row)
    assert_equal(loaded.own[4], saved.own[4])
    assert loaded.durable[4].tolist() == [77]
    assert loaded.encode(4, 77) == row


def test_view_is_the_start_and_all_that_was_learned_since() -> None:
    weights = weights_of(3, 0, 7)
    for view, start, *own in zip(
        *map(summed_of, (weights.view, START, *weights.own.values())), strict=True
    ):
        expected = start + sum(each.astype(np.float64) - start for each in own)
        assert view == pytest.approx(expected, abs=1e-6)


def test_sum_does_not_depend_on_the_order_of_opening() -> None:
    assert_equal(weights_of(3, 0, 7).view, weights_of(7, 3, 0).view)


def test_view_of_a_single_partition_is_its_own() -> None:
    weights = weights_of(0, separate=False)
    assert weights.view is weights.own[0]
    before = [array.copy() for array in arrays_of(weights.view)]
    weights.sum_up()
    assert all(map(np.array_equal, arrays_of(weights.view), before))


old_versions = pytest.mark.parametrize("version", sorted(LACKING))


def row_of_version(version: int, learned: Learned, offset: int) -> bytes:
    """Encode what an older build knew: not all features, at first no curvature and no curves."""
    ranker, lacking = learned.ranker, LACKING[version]
    parts = [np.delete(part, lacking, axis=2) for part in (ranker.linear, ranker.linear_squares)]
    if version > 1:
        parts += [np.delete(part, lacking, axis=1) for part in (ranker.curve, ranker.curve_squares)]
    parts += [np.delete(part, lacking, axis=0) for part in (ranker.hidden, ranker.hidden_squares)]
    if version >= CURVATURE_SINCE:
        kept = np.delete(np.arange(2 * N_FEATURES), [*lacking, *(N_FEATURES + x for x in lacking)])
        within = ranker.curvature[np.ix_(kept, kept)]
        parts = [*parts, within[np.triu_indices(len(kept))]]
    parts += [ranker.output, ranker.output_squares, *learned.crowd, learned.ratings_seen]
    parts += learned.hits if version >= WINDOW_SINCE else ()
    weights, sums = (
        np.concatenate([part.ravel() for part in parts if part.dtype == dtype])
        for dtype in (np.float32, np.float64)
    )
    head = struct.pack("<HHqII", version, 0, offset, len(weights), len(sums))
    return head + weights.tobytes() + sums.tobytes()


def without_what_was_added(version: int, learned: Learned) -> Learned:
    """Return a copy in which all that a version lacks has its start value."""
    kept = learned._replace(
        ranker=RankerWeights._make(part.copy() for part in learned.ranker),
        hits=learned.hits if version >= WINDOW_SINCE else START.hits,
    )
    start, lacking = START.ranker, LACKING[version]
    for suffix in ("", "_squares"):
        getattr(kept.ranker, f"linear{suffix}")[:, :, lacking] = 1.0 if suffix else 0.0
        getattr(kept.ranker, f"hidden{suffix}")[lacking] = getattr(start, f"hidden{suffix}")[
            lacking
        ]
        curve = getattr(kept.ranker, f"curve{suffix}")
        curve[:, lacking if version > 1 else slice(None)] = 1.0 if suffix else 0.0
    kept.ranker.linear[0, 0, lacking] = LINEAR_START
    if version >= CURVATURE_SINCE:
        added = [*lacking, *(N_FEATURES + x for x in lacking)]
        kept.ranker.curvature[added] = 0.0
        kept.ranker.curvature[:, added] = 0.0
        return kept
    squares = kept.ranker.linear_squares[0]
    kept.ranker.curvature[:] = np.diag(squares.ravel() - 1.0)
    squares[:] = 1.0
    return kept


@old_versions
def test_old_row_keeps_what_it_has_and_starts_with_the_rest(version: int) -> None:
    learned = weights_of(0).own[0]
    loaded = weights_of(0)
    loaded.load(0, row_of_version(version, learned, 77))
    assert_equal(loaded.own[0], without_what_was_added(version, learned))
    assert loaded.durable[0].tolist() == [77]


@old_versions
def test_followed_old_row_adds_its_steps_to_the_start(version: int) -> None:
    learned = weights_of(3).own[3]
    weights = Weights(START, separate=True)
    weights.follow_partition(3)
    weights.stage(3, row_of_version(version, learned, 5))
    weights.refresh()
    expected = without_what_was_added(version, learned)
    for view, part in zip(summed_of(weights.view), summed_of(expected), strict=True):
        assert view == pytest.approx(part, abs=1e-6)


def test_columns_of_old_versions_start_as_they_did() -> None:
    """Later columns draw after all others, so none of these draws may ever move."""
    n_first = N_FEATURES - len(LACKING[1])
    random = np.random.default_rng(1)
    first = random.normal(0.0, 1.0, (n_first + N_CONTEXT, N_HIDDEN))
    second = random.normal(0.0, 1.0, (3, N_HIDDEN))
    hidden = START.ranker.hidden * np.float32(np.sqrt(n_first))
    assert np.delete(hidden, LACKING[1], axis=0) == pytest.approx(first, rel=1e-6)
    assert hidden[[2, 3, 9]] == pytest.approx(second, rel=1e-6)


def test_closed_partition_is_taken_out_of_the_sum() -> None:
    weights = weights_of(1, 2)
    weights.close_partition(2)
    assert_equal(weights.view, weights_of(1).view)
    assert set(weights.durable) == {1}


@pytest.mark.parametrize("separate", [False, True])
def test_after_the_last_partition_only_the_start_is_left(separate: bool) -> None:
    weights = weights_of(1, separate=separate)
    weights.close_partition(1)
    assert_equal(weights.view, START)


def test_partitions_never_write_into_the_start() -> None:
    before = [array.copy() for array in arrays_of(START)]
    weights_of(1, 2, separate=True)
    weights_of(1, separate=False)
    assert all(map(np.array_equal, arrays_of(START), before))


def with_count(field: str, change: int) -> Callable[[bytes], bytes]:
    at = WEIGHTS_TYPE.fields[field][1]  # type: ignore[index]

    def damage(row: bytes) -> bytes:
        (count,) = struct.unpack_from("<I", row, at)
        return row[:at] + struct.pack("<I", count + change) + row[at + 4 :]

    return damage


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (lambda row: struct.pack("<H", VERSION + 1) + row[2:], "upgrade the worker"),
        (lambda row: b"", "delete the worker's state folder"),
        (lambda row: row[:15], "delete the worker's state folder"),
        (lambda row: row[:-1], "delete the worker's state folder"),
        (lambda row: row + bytes(4), "delete the worker's state folder"),
        (with_count("n_weights", 1), "delete the worker's state folder"),
        (with_count("n_sums", -1), "delete the worker's state folder"),
        (lambda row: with_count("n_sums", 1)(row) + bytes(8), r"set model\.half_lives_s and"),
    ],
)
def test_damaged_row_is_refused_and_nothing_changed(
    damage: Callable[[bytes], bytes], advice: str
) -> None:
    assert_refused(damage(weights_of(0).encode(0, 5)), advice)


@pytest.mark.parametrize(("n_features", "n_factors"), [(11, 3), (10, 4), (9, 2)])
def test_row_of_another_configuration_is_refused(n_features: int, n_factors: int) -> None:
    other = Weights(nothing_learned(n_features, n_factors, 1), separate=False)
    other.open_partition(0)
    assert_refused(
        other.encode(0, 5),
        r"set model\.half_lives_s and model\.n_factors as they were, or rebuild",
    )


def assert_refused(row: bytes, advice: str) -> None:
    weights = Weights(START, separate=True)
    weights.open_partition(0)
    with pytest.raises(RowFormatError, match=advice):
        weights.load(0, row)
    assert_equal(weights.own[0], START)
    assert weights.durable[0].tolist() == [NO_OFFSET]
