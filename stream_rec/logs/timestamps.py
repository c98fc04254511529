"""Times in recorded logs: epoch seconds, epoch milliseconds or RFC 3339, recognised or given.

A number is told apart by its size: 1e11 seconds is the year 5138 and 1e11 milliseconds is
March 1973, so real logs do not meet at the border; likewise for micro- and nanoseconds.

Digits may also write a day or a second: 20231114, 20231114221712. Of 14 digits this is certain, as
milliseconds they would lie after the year 2286. Those of 8 may be seconds since the beginning of a
recording, so one of them does not tell; a whole column does (`EventLog`). So it is with 12/1/2010,
the first of December or the twelfth of January: a day after the twelfth tells for all. What is
written with points begins with the day.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any, Literal, get_args

TimestampUnit = Literal["auto", "s", "ms", "date", "dmy", "mdy"]
DayOrder = Literal["dmy", "mdy"]
EITHER: Literal["either"] = "either"
TIMESTAMP_UNITS: tuple[TimestampUnit, ...] = get_args(TimestampUnit)

MILLISECONDS_FROM = 1e11
MICROSECONDS_FROM = 1e14
NANOSECONDS_FROM = 1e17
DAY_DIGITS, SECOND_DIGITS = 8, 14
MONTHS = 12
YEARS = range(1970, 2101)
"""In which a day may lie that digits write."""
_ZONE_NAME = re.compile(r" ?(UTC|GMT)$")
_WRITTEN_OUT = re.compile(
    r"\w{3} (?P<month>\w{3}) (?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d) "
    r"(?P<zone>[+-]\d{4}) (?P<year>\d{4})"
)
_CLOCK = r"((,? |T)(?P<clock>\d{1,2}:\d\d(:\d\d(\.\d+)?)?)( ?(?P<half>[AaPp])[Mm])?)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})([/.])(?P<a>\d{{1,2}})\2(?P<b>\d{{1,2}}){_CLOCK}")
_YEAR_LAST = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<mark>[/.-])(?P<b>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_CLOCK}"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_timestamp_ms(raw: Any, unit: TimestampUnit = "auto") -> int:
    """Return a recorded time as epoch milliseconds.

    Parameters
    ----------
    raw : int, float, str or datetime
        The time as the log has it. Text without an offset is taken as UTC.
    unit : {"auto", "s", "ms", "date", "dmy", "mdy"}
        Unit of numbers; ``"auto"`` tells it from their size. ``"date"``: 8 digits write a day.
        ``"dmy"``, ``"mdy"``: what comes first in 12/1/2010, day or month.

    Returns
    -------
    int
        Epoch milliseconds, not negative.

    Raises
    ------
    ValueError
        When ``raw`` is neither a usable number nor a date, or may be two dates.

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
    >>> parse_timestamp_ms("12/1/2010 8:26", "mdy"), parse_timestamp_ms("1.12.2010 08:26:00")
    (1291191960000, 1291191960000)
    """
    if isinstance(raw, datetime):
        return _check(_datetime_ms(raw), raw)
    if isinstance(raw, bool):
        raise ValueError(f"got {raw!r}; give epoch seconds, epoch milliseconds or RFC 3339")
    try:
        number = float(raw)
    except (TypeError, ValueError):
        return _check(_parse_text_ms(raw, unit), raw)
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


def day_order(raw: Any) -> DayOrder | Literal["either"] | None:
    """Return what comes first in a date that ends with the year, None if a time is no such date.

    Examples
    --------
    >>> day_order("12/13/2010 9:02"), day_order("13/12/2010"), day_order("12.1.2010")
    ('mdy', 'dmy', 'dmy')
    >>> day_order("12/1/2010"), day_order("2010-12-01")
    ('either', None)
    """
    written = _YEAR_LAST.fullmatch(str(raw).strip())
    return None if written is None else _day_order(written) or EITHER


def _day_order(written: re.Match[str]) -> DayOrder | None:
    if written["mark"] == "." or int(written["a"]) > MONTHS:
        return "dmy"
    return "mdy" if int(written["b"]) > MONTHS else None


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


def _parse_text_ms(raw: Any, unit: TimestampUnit) -> int:
    text = _ZONE_NAME.sub("", str(raw).strip())
    try:
        return _datetime_ms(datetime.fromisoformat(text))
    except ValueError:
        pass  # it may be written in another way
    try:
        return _datetime_ms(datetime.fromisoformat(_rewritten(text, unit)))
    except _TwoDatesError:
        raise ValueError(
            f"got {raw!r}, which may be two dates; say with --timestamps dmy or mdy what comes "
            "first, day or month"
        ) from None
    except ValueError:
        raise ValueError(
            f"got {raw!r}; give epoch seconds, epoch milliseconds or RFC 3339 "
            "such as 2014-04-07T10:51:09Z"
        ) from None


class _TwoDatesError(Exception):
    """A date does not say what comes first, day or month."""


def _rewritten(text: str, unit: TimestampUnit) -> str:
    """Return a time in words or with the parts of its day in another order as RFC 3339."""
    in_words = _WRITTEN_OUT.fullmatch(text)
    if in_words and in_words["month"] in _MONTHS:
        month = _MONTHS.index(in_words["month"]) + 1
        return "{year}-{month:02d}-{day}T{time}{zone}".format_map(
            in_words.groupdict() | {"month": month}
        )
    written = _YEAR_FIRST.fullmatch(text)
    if written:
        return _rfc3339(written, written["a"], written["b"])
    written = _YEAR_LAST.fullmatch(text)
    if not written:
        return text
    order = unit if unit in get_args(DayOrder) else _day_order(written)
    if order is None:
        raise _TwoDatesError
    if order == "dmy":
        return _rfc3339(written, written["b"], written["a"])
    return _rfc3339(written, written["a"], written["b"])


def _rfc3339(written: re.Match[str], month: str, day: str) -> str:
    hour, _, rest = (written["clock"] or "0:00").partition(":")
    if written["half"]:
        hour = str(int(hour) % 12 + 12 * (written["half"] in "Pp"))
    return f"{written['year']}-{month:0>2}-{day:0>2}T{hour:0>2}:{rest}"


def _datetime_ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _check(ts_ms: int, raw: Any) -> int:
    if ts_ms < 0:
        raise ValueError(f"got {raw!r}, which is before 1970")
    return ts_ms
