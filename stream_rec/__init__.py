"""stream_rec: a recommender that learns from every event and never trains offline."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_rec.errors import InvalidEventError, StreamRecError
    from stream_rec.model.events import Event
    from stream_rec.recommender import Reason, Recommendation, Recommender

__all__ = [
    "Event",
    "InvalidEventError",
    "Reason",
    "Recommendation",
    "Recommender",
    "StreamRecError",
]

_HOMES = {
    "Event": "stream_rec.model.events",
    "InvalidEventError": "stream_rec.errors",
    "Reason": "stream_rec.recommender",
    "Recommendation": "stream_rec.recommender",
    "Recommender": "stream_rec.recommender",
    "StreamRecError": "stream_rec.errors",
}


def __getattr__(name: str) -> object:
    """Import on first use: numba takes longer to import than the command line to print its help."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
