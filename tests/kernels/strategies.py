"""Strategies that hypothesis does not bring."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

Element = TypeVar("Element")


def long_lists(
    elements: st.SearchStrategy[Element], size_max: int
) -> st.SearchStrategy[list[Element]]:
    """Return lists of any length up to `size_max`; those of `st.lists` have some five elements."""
    return st.integers(0, size_max).flatmap(
        lambda size: st.lists(elements, min_size=size, max_size=size)
    )
