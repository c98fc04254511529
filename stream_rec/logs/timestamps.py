"""Times in recorded logs: epoch seconds, epoch milliseconds or RFC 3339, recognised or given.

A number is told apart by its size: 1e11 seconds is the year 5138 and 1e11 milliseconds is
March 1973, so real logs do not meet at the border; likewise for micro- and nanoseconds.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Literal, get_args

TimestampUnit = Literal["auto", "s", "ms"]
TIMESTAMP_UNITS: tuple[TimestampUnit, ...] = get_args(TimestampUnit)

MILLISECONDS_FROM = 1e11
MICROSECONDS_FROM = 1e14
NANOSECONDS_FROM = 1e17


def parse_timestamp_ms(raw: Any, unit: TimestampUnit = "auto") -> int:
    """Return a recorded time as epoch milliseconds.

    Parameters
    ----------
    raw : int, float, str or datetime
        The time as the log has it. Text without an offset is taken as UTC.
    unit : {"auto", "s", "ms"}
        Unit of numbers; ``"auto"`` tells it from their size.

    Returns
    -------
    int
        Epoch milliseconds, not negative.

    Raises
    ------
    ValueError
        When ``raw`` is neither a usable number nor RFC 3339.

    Examples
    --------
    >>> parse_timestamp_ms("874724710"), parse_timestamp_ms(1396314141719)
    (874724710000, 1396314141719)
    >>> parse_timestamp_ms("2014-04-07T10:51:09.277Z")
    1396867869277
    """
    if isinstance(raw, datetime):
        return _check(_datetime_ms(raw), raw)
    if isinstance(raw, bool):
        raise ValueError(f"got {raw!r}; give epoch seconds, epoch milliseconds or RFC 3339")
    try:
        number = float(raw)
    except (TypeError, ValueError):
        return _check(_parse_text_ms(raw), raw)
    if not math.isfinite(number):
        raise ValueError(f"got {raw!r}; give epoch seconds, epoch milliseconds or RFC 3339")
    return _check(_scale_ms(number, unit), raw)


def _scale_ms(number: float, unit: TimestampUnit) -> int:
    if unit == "ms":
        return int(number)
    if unit == "s" or number < MILLISECONDS_FROM:
        return round(number * 1000)
    if number < MICROSECONDS_FROM:
        return int(number)
    return int(number // (1_000 if number < NANOSECONDS_FROM else 1_000_000))


def _parse_text_ms(raw: Any) -> int:
    try:
        return _datetime_ms(datetime.fromisoformat(str(raw).strip()))
    except ValueError:
        raise ValueError(
            f"got {raw!r}; give epoch seconds, epoch milliseconds or RFC 3339 "
            "such as 2014-04-07T10:51:09Z"
        ) from None


def _datetime_ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _check(ts_ms: int, raw: Any) -> int:
    if ts_ms < 0:
        raise ValueError(f"got {raw!r}, which is before 1970")
    return ts_ms
