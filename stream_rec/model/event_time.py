"""Event times: epoch seconds, epoch milliseconds or RFC 3339, told apart and bounded."""

from __future__ import annotations

import math
from datetime import datetime

from stream_rec.errors import InvalidEventError

MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie after the year 5138."""

Scalar = str | int | float


def parse_time(ts: Scalar) -> float:
    """Return seconds since the epoch for a number of seconds or milliseconds, or an RFC 3339 text.

    Raises
    ------
    InvalidEventError
        With code ``bad_timestamp`` or ``not_finite``.

    Examples
    --------
    >>> parse_time(1_700_000_000), parse_time(1_700_000_000_000), parse_time("1970-01-01T00:01:00Z")
    (1700000000.0, 1700000000.0, 60.0)
    """
    if isinstance(ts, str):
        return _parse_rfc3339(ts)
    number = to_float(ts)
    if number is None:
        raise InvalidEventError(
            "bad_timestamp", "expected a ts of at most 14 digits, came a longer one"
        )
    if not math.isfinite(number):
        raise InvalidEventError("not_finite", f"expected a finite ts, came {ts}")
    time_s = number / 1000.0 if number >= MILLISECONDS_FROM else number
    return checked_time(time_s, str(ts))


def checked_time(time_s: float, came: str) -> float:
    """Return a time in seconds that is within bounds.

    Parameters
    ----------
    time_s : float
    came : str
        What was given, for the message.

    Raises
    ------
    InvalidEventError
        With code ``bad_timestamp``.
    """
    if not 0.0 <= time_s < MILLISECONDS_FROM:
        raise InvalidEventError(
            "bad_timestamp",
            "expected a time from 1970 on and before the year 5138, in seconds, milliseconds or "
            f"RFC 3339; came {came}",
        )
    return time_s


def _parse_rfc3339(text: str) -> float:
    expected = "expected seconds, milliseconds or RFC 3339 with an offset (2024-05-01T12:00:00Z)"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidEventError("bad_timestamp", f"{expected}, came {text[:64]!r}") from None
    if moment.tzinfo is None:
        raise InvalidEventError("bad_timestamp", f"{expected}, came {text[:64]!r} without offset")
    return checked_time(moment.timestamp(), repr(text[:64]))


def to_float(number: int | float) -> float | None:
    """Return a number as float, None for an integer too large for one."""
    try:
        return float(number)
    except OverflowError:
        return None
