"""What every measurement hands back: a table for people, figures for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Report = Callable[[str], None]
"""Told what is being done, as it begins."""


class Result(NamedTuple):
    """One measurement.

    Attributes
    ----------
    title : str
    columns : sequence of str
    rows : sequence of sequences of str
        Each as long as `columns`.
    figures : dict or list of dict
        What ``--json`` prints.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: dict[str, Any] | list[dict[str, Any]]
