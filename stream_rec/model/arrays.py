"""Lengths of arrays: doubled as they fill, and cut into stretches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from numpy.typing import NDArray

Entries = TypeVar("Entries", NDArray[Any], list[Any])


def doubled(present: int, needed: int) -> int:
    """Return the smallest doubling of `present` that is at least `needed`."""
    size = max(present, 1)
    while size < needed:
        size *= 2
    return size


def stretches(column: Entries, length_max: int) -> Iterator[Entries]:
    """Cut a column, or any other sequence, into stretches of at most so many entries.

    Examples
    --------
    >>> list(stretches(["a", "b", "c"], 2))
    [['a', 'b'], ['c']]
    """
    for first in range(0, len(column), length_max):
        yield column[first : first + length_max]
