"""Rows that grow in place: address space is reserved far ahead, memory comes with what is written.

A column that is copied to become longer stands still for as long as that takes: half a second for
the rows of 65,536 items in eight partitions, seconds for millions. Anonymous memory of the
operating system costs nothing until it is written, so a column is moved once, into much more of it
than it needs, and gets longer there by being looked at from its beginning on as a longer one. Only
what is not 0 in an empty row has to be written then, so rows are added some thousand at a time.

From where a column is as large as numpy would ask for huge pages, they are asked for here, too;
smaller ones, of which there are hundreds, would take 2 MiB each of them.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stream_rec.errors import StateError
from stream_rec.kernels.item_rows import OWN_COLUMNS, ItemRows, empty_item_rows
from stream_rec.kernels.links import LinkRows, empty_link_rows
from stream_rec.kernels.view import ItemView, empty_view
from stream_rec.model.arrays import doubled

LINK_PLACES_MAX = int(np.iinfo(np.int32).max)

Columns = TypeVar("Columns", bound=tuple[Any, ...])

RESERVED_BYTES_MIN = 1 << 28
RESERVED_TIMES = 16
"""What is reserved for a column: so many bytes, or so many times what it needs."""
HUGE_PAGES_FROM_BYTES = 1 << 22
ADDED_ROWS_MAX = 8_192
CACHE_LINE_BYTES, CACHE_LINES_TRIED = 64, 61
IS_LINUX = hasattr(mmap, "MADV_HUGEPAGE")
MAP_NORESERVE = 0x4000 if IS_LINUX else 0
"""Not to be counted as memory that is in use; mmap has no name for it before Python 3.13."""
MAP_FLAGS = MAP_NORESERVE | getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)
_COUNTER = itertools.count()


def more(present: int, needed: int) -> int:
    """Return how many rows to have where so many are needed: twice as many, or some thousand more.

    Examples
    --------
    >>> more(1_000, 1_001), more(100_000, 100_001), more(100_000, 150_000)
    (2000, 108192, 150000)
    """
    return max(needed, present + min(present, ADDED_ROWS_MAX))


def extended(column: NDArray[Any], n_rows: int, empty: float = 0) -> NDArray[Any]:
    """Return a column of more rows that begins as this one, which must not be used any more.

    Parameters
    ----------
    column : array of N rows
    n_rows : int
        No less than N.
    empty : float
        What the new rows hold.
    """
    n_needed = n_rows * int(np.prod(column.shape[1:]))
    memory, n_bytes_before = column.base, column.nbytes
    if memory is None or not _is_reserved(memory) or len(memory) < n_needed:
        memory, n_bytes_before = _reserve(n_needed, column.dtype), 0
        memory[: column.size] = column.reshape(-1)
    longer = memory[:n_needed].reshape(n_rows, *column.shape[1:])
    if longer.nbytes >= HUGE_PAGES_FROM_BYTES > n_bytes_before:
        _ask_for_huge_pages(memory)
    if empty != 0:
        longer[len(column) :] = empty
    return longer


def lengthened(column: NDArray[Any], needed: int) -> NDArray[Any]:
    """Return a column that is at least so long: itself, or one doubled, with zeros behind."""
    present = len(column)
    return column if present >= needed else extended(column, doubled(present, needed))


def with_rows(columns: Columns, names: Sequence[str], n_rows: int, empty: Columns) -> Columns:
    """Return columns, those named of more rows; these must not be used any more.

    Parameters
    ----------
    columns : named tuple of arrays
    names : sequence of str
    n_rows : int
    empty : named tuple of arrays
        Of the same type, of one row that is empty.
    """
    longer = {
        name: extended(getattr(columns, name), n_rows, _first(getattr(empty, name)))
        for name in names
    }
    return columns._replace(**longer)  # type: ignore[attr-defined,no-any-return]


def with_items(rows: ItemRows, n_items: int) -> ItemRows:
    """Return rows of more items, the new ones those of items that nobody has seen."""
    n_half_lives, n_factors = rows.popularity.shape[1], rows.evidence.shape[1] - 1
    empty = empty_item_rows(1, n_half_lives, n_factors, n_link_places=1, links_max=1)
    links = with_rows(rows.links, ("start", "length", "capacity"), n_items, empty.links)
    return with_rows(rows, OWN_COLUMNS, n_items, empty)._replace(links=links)


def with_places(links: LinkRows, n_places: int) -> LinkRows:
    """Return links whose pool has room for `n_places` more: these, or with a larger pool.

    Raises
    ------
    StateError
        Rows could not say any more where they begin.
    """
    present, needed = len(links.neighbour), int(links.used[0]) + n_places
    if needed <= present:
        return links
    if needed > LINK_PLACES_MAX:
        raise StateError(
            f"expected at most {LINK_PLACES_MAX} places for links between items, came the need for "
            f"{needed}: lower model.links_per_item_max or model.items_per_partition_max"
        )
    pool = ("neighbour", "near", "wide", "after")
    n_places = min(doubled(present, needed), LINK_PLACES_MAX)
    return with_rows(links, pool, n_places, empty_link_rows(1, 1, 1))


def with_link_places(rows: ItemRows, n_places: int) -> ItemRows:
    """Return rows with room for `n_places` more links: these, or with a larger pool."""
    links = with_places(rows.links, n_places)
    return rows if links is rows.links else rows._replace(links=links)


def with_derived(view: ItemView, rows: ItemRows, beside: NDArray[np.int32]) -> ItemView:
    """Return a view over longer rows, which are its own made longer, and an order as long."""
    n_items, n_factors = len(rows.taken), view.factor.shape[1]
    empty = empty_view(empty_item_rows(1, rows.popularity.shape[1], n_factors, 1, 1), n_factors)
    top = with_rows(view.top, ("keys", "position"), n_items, empty.top)
    slim = with_rows(view.slim, ("neighbour", "weight", "due"), n_items, empty.slim)
    longer = with_rows(view, ("damping", "factor"), n_items, empty)
    return longer._replace(rows=rows, top=top, slim=slim, beside=beside)


def _first(empty: NDArray[Any]) -> float:
    return float(empty.flat[0]) if empty.size else 0.0


def _is_reserved(memory: NDArray[Any]) -> bool:
    """Say whether this is memory from `_reserve`, not what numpy has allocated for a column."""
    return isinstance(memory.base, memoryview)


def _reserve(n_entries: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros, many more than are needed where memory is given when it is written.

    Each begins at another cache line of its page: one row's entries in all columns would compete
    for the same few lines of the processor's cache, which costs a tenth of an event.
    """
    n_bytes = n_entries * dtype.itemsize
    first = next(_COUNTER) % CACHE_LINES_TRIED * CACHE_LINE_BYTES
    memory: mmap.mmap | bytearray = bytearray()
    if hasattr(mmap, "MAP_ANONYMOUS"):  # not on Windows
        reserved = max(RESERVED_TIMES * n_bytes, RESERVED_BYTES_MIN) + first
        with contextlib.suppress(OSError):  # address space is limited
            memory = mmap.mmap(-1, reserved, flags=MAP_FLAGS)
    return np.frombuffer(memory or bytearray(2 * n_bytes + first), dtype, offset=first)


def _ask_for_huge_pages(memory: NDArray[Any]) -> None:
    mapping = memory.base.obj if isinstance(memory.base, memoryview) else None
    if IS_LINUX and isinstance(mapping, mmap.mmap):
        with contextlib.suppress(OSError):  # a kernel without them
            mapping.madvise(mmap.MADV_HUGEPAGE)
