"""Times in recorded logs: epoch seconds, epoch milliseconds or RFC 3339, recognised or given.

A number is told apart by its size: 1e11 seconds is the year 5138 and 1e11 milliseconds is
March 1973, so real logs do not meet at the border; likewise for micro- and nanoseconds.

Digits may also write a day or a second: 20231114, 20231114221712. Of 14 digits this is certain, as
milliseconds they would lie after the year 2286. Those of 8 may be seconds since the beginning of a
recording, so one of them does not tell; a whole column does (`EventLog`).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any, Literal, get_args

TimestampUnit = Literal["auto", "s", "ms", "date"]
TIMESTAMP_UNITS: tuple[TimestampUnit, ...] = get_args(TimestampUnit)

MILLISECONDS_FROM = 1e11
MICROSECONDS_FROM = 1e14
NANOSECONDS_FROM = 1e17
DAY_DIGITS, SECOND_DIGITS = 8, 14
YEARS = range(1970, 2101)
"""In which a day may lie that digits write."""
_ZONE_NAME = re.compile(r" ?(UTC|GMT)$")
_WRITTEN_OUT = re.compile(
    r"\w{3} (?P<month>\w{3}) (?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d) "
    r"(?P<zone>[+-]\d{4}) (?P<year>\d{4})"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_timestamp_ms(raw: Any, unit: TimestampUnit = "auto") -> int:
    """Return a recorded time as epoch milliseconds.

    Parameters
    ----------
    raw : int, float, str or datetime
        The time as the log has it. Text without an offset is taken as UTC.
    unit : {"auto", "s", "ms", "date"}
        Unit of numbers; ``"auto"`` tells it from their size. ``"date"``: 8 digits write a day.

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
    >>> parse_timestamp_ms("2019-10-01 00:00:00 UTC")
    1569888000000
    >>> parse_timestamp_ms("Tue Apr 03 18:00:09 +0000 2012")
    1333476009000
    >>> parse_timestamp_ms(20140407105109), parse_timestamp_ms("20140407", "date")
    (1396867869000, 1396828800000)
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
    return _check(_number_ms(number, unit), raw)


def writes_day(raw: Any) -> bool:
    """Tell whether a raw time is a number of 8 digits that write a day.

    Examples
    --------
    >>> writes_day("20240229"), writes_day(20230229), writes_day("2024-02-29")
    (True, False, False)
    """
    try:
        number = float(raw)
    except (TypeError, ValueError):
        return False
    return number < 10**DAY_DIGITS and _digits_ms(number) is not None


def _number_ms(number: float, unit: TimestampUnit) -> int:
    is_day = unit == "date" and number < 10**DAY_DIGITS
    is_second = unit in ("auto", "date") and number >= 10 ** (SECOND_DIGITS - 1)
    if is_day or (is_second and number < 10**SECOND_DIGITS):
        written_ms = _digits_ms(number)
        if written_ms is not None:
            return written_ms
        if unit == "date":
            raise ValueError(f"got {number:.0f}; give YYYYMMDD or YYYYMMDDhhmmss")
    return _scale_ms(number, unit)


def _digits_ms(number: float) -> int | None:
    """Return the time that 8 or 14 digits write (UTC), None where they write none."""
    text = f"{number:.0f}"
    if len(text) not in (DAY_DIGITS, SECOND_DIGITS) or int(text[:4]) not in YEARS:
        return None
    text = text.ljust(SECOND_DIGITS, "0")
    month, day, hour, minute, second = (int(text[x : x + 2]) for x in range(4, len(text), 2))
    try:
        return _datetime_ms(datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC))
    except ValueError:
        return None


def _scale_ms(number: float, unit: TimestampUnit) -> int:
    if unit == "ms":
        return int(number)
    if unit == "s" or number < MILLISECONDS_FROM:
        return round(number * 1000)
    if number < MICROSECONDS_FROM:
        return int(number)
    return int(number // (1_000 if number < NANOSECONDS_FROM else 1_000_000))


def _parse_text_ms(raw: Any) -> int:
    text = str(raw).strip()
    written_out = _WRITTEN_OUT.fullmatch(text)
    if written_out and written_out["month"] in _MONTHS:
        month = _MONTHS.index(written_out["month"]) + 1
        text = "{year}-{month:02d}-{day}T{time}{zone}".format_map(
            written_out.groupdict() | {"month": month}
        )
    try:
        return _datetime_ms(datetime.fromisoformat(_ZONE_NAME.sub("", text)))
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
