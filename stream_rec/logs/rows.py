"""The typed row that every log format is read into, and the checks of its fields."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from stream_rec.logs.timestamps import TimestampUnit, parse_timestamp_ms


class LogRow(NamedTuple):
    """One recorded event.

    Parameters
    ----------
    user, item : str
        Ids, never empty.
    type : str
        What the user did, e.g. ``"view"``.
    value : float or None
        Strength of the event, e.g. the rating; finite.
    ts_ms : int or None
        When it happened, epoch milliseconds; None where the log has no times.
    event_id, session : str or None
        The producer's own ids, where the log has them.
    context : dict or None
        Whatever else the producer recorded about the moment (JSON Lines and Parquet only).
    """

    user: str
    item: str
    type: str
    value: float | None = None
    ts_ms: int | None = None
    event_id: str | None = None
    session: str | None = None
    context: dict[str, Any] | None = None


class FieldError(ValueError):
    """A field of one row cannot be used; the reader adds file and line."""


def parse_id(raw: Any, field: str) -> str:
    """Return an id as a string; numbers become their decimal string."""
    if isinstance(raw, str):
        text = raw.strip()
    elif isinstance(raw, int) and not isinstance(raw, bool):
        text = str(raw)
    elif isinstance(raw, float) and raw.is_integer():
        text = str(int(raw))
    elif raw is None:
        text = ""
    else:
        raise FieldError(f"expected {field} to be text or a whole number, got {raw!r}")
    if not text:
        raise FieldError(f"expected {field} to hold an id, got nothing")
    if not text.isascii():
        check_utf8(text, field)
    return text


def check_utf8(text: str, field: str) -> None:
    """Refuse text that was not UTF-8 in the file; the reader keeps such bytes as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        came = text.encode(errors="surrogateescape")
        raise FieldError(
            f"expected {field} to be UTF-8, got {came[:64]!r} (convert the file, for example "
            "with iconv -f latin1 -t utf-8)"
        ) from None


def parse_optional_id(raw: Any, field: str) -> str | None:
    """Return an id, or None where the log left it empty."""
    return None if raw is None or raw == "" else parse_id(raw, field)


def parse_value(raw: Any, field: str) -> float | None:
    """Return a finite number, or None where the log left it empty (NaN in a column of numbers)."""
    if raw is None or raw == "" or (isinstance(raw, float) and math.isnan(raw)):
        return None
    if isinstance(raw, bool):
        raise FieldError(f"expected {field} to be a number or empty, got {raw!r}")
    try:
        value = float(raw)
    except (TypeError, ValueError):
        raise FieldError(f"expected {field} to be a number or empty, got {raw!r}") from None
    if not math.isfinite(value):
        raise FieldError(f"expected {field} to be a finite number, got {raw!r}")
    return value


def parse_time(raw: Any, field: str, unit: TimestampUnit) -> int | None:
    """Return epoch milliseconds, or None where the log left the time empty."""
    if raw is None or raw == "":
        return None
    try:
        return parse_timestamp_ms(raw, unit)
    except ValueError as error:
        raise FieldError(f"expected {field} to be a time: {error}") from None


def parse_context(raw: Any, field: str) -> dict[str, Any] | None:
    """Return the context object, or None where there is none."""
    if raw is None or isinstance(raw, dict):
        return raw
    raise FieldError(f"expected {field} to be an object, got {raw!r}")
