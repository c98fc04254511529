"""Events: from the bytes of a Kafka record to a checked `Event`, or to the reason why not.

Every refusal has a stable code (docs/messages.md); nothing here raises for bad input other than
`InvalidEventError`, and nothing reads a clock: "too far in the future" is judged against the
record's Kafka timestamp, so a replay judges alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from stream_rec.config import EventSettings, EventType
from stream_rec.errors import InvalidEventError
from stream_rec.model.event_time import Scalar, checked_time, parse_time, to_float

FORGET = "forget"
"""The event type by which a user asks to be forgotten; no configuration may define it."""

NUMBER_BITS_MAX = 1024
"""Integers of more bits have more than 256 digits."""

_NOT_FINITE = re.compile(rb"[:,\[]\s*-?(?:NaN|Infinity)\b")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a user did with an item.

    Parameters
    ----------
    user, item : str
        Ids; numbers are accepted and mean the same as their decimal string. The item of a
        ``forget`` is empty.
    type : str
        One of the configured event types, or ``forget``.
    value : float, optional
        For example the rating, on the scale of the type.
    ts : float, optional
        Event time in seconds since the epoch; also accepted in milliseconds or as RFC 3339.
    event_id : str, optional
        Events of one user with an id seen before are dropped.
    session, context
        Kept for later use; they do not change the model yet.

    Examples
    --------
    >>> Event(user="ann", item="alien", type="rating", value=9.0, ts=1_700_000_000.0).item
    'alien'
    """

    user: str
    item: str
    type: str
    value: float | None = None
    ts: float | None = None
    event_id: str | None = None
    session: str | None = None
    context: Any = None


class _RawEvent(msgspec.Struct):
    """The JSON object as it comes; msgspec checks the types, unknown fields are ignored."""

    user: Scalar
    type: str
    item: Scalar | msgspec.UnsetType = msgspec.UNSET
    value: int | float | None = None
    ts: Scalar | None = None
    event_id: Scalar | None = None
    session: Scalar | None = None
    context: Any = None


class EventDecoder:
    """Decodes and checks events under one configuration.

    Parameters
    ----------
    settings : EventSettings

    Examples
    --------
    >>> decode = EventDecoder(EventSettings())
    >>> click = b'{"user": 7, "item": "a", "type": "click"}'
    >>> decode.from_record(click, b"7", 1_700_000_000_000).user
    '7'
    """

    def __init__(self, settings: EventSettings) -> None:
        self._settings = settings
        self._types = settings.types
        self._decoder = msgspec.json.Decoder(_RawEvent)

    def from_record(
        self, value: bytes | None, key: bytes | None, timestamp_ms: int
    ) -> Event | None:
        """Decode one Kafka record.

        Parameters
        ----------
        value, key : bytes or None
            As in the record; the key must be the user id.
        timestamp_ms : int
            The record's Kafka timestamp, negative if it has none: the event time where the event
            names none.

        Returns
        -------
        Event or None
            With `ts` set; None for an event of an unknown type that the configuration ignores.

        Raises
        ------
        InvalidEventError
        """
        raw = self._parse(value)
        recorded_s = None if timestamp_ms < 0 else timestamp_ms / 1000.0
        event = self._check(raw, recorded_s, recorded_s)
        if event is not None and (key is None or key != event.user.encode()):
            came = "none" if key is None else repr(key[:64])
            raise InvalidEventError(
                "key_mismatch", f"expected the user id {event.user!r} as key, came {came}"
            )
        return event

    def from_object(self, event: Event | Mapping[str, Any], default_s: float) -> Event | None:
        """Check an event given in process, as an `Event` or as a mapping with the same fields.

        Parameters
        ----------
        event : Event or mapping
            Numbers may be numpy's.
        default_s : float
            Event time, in seconds, where the event names none.

        Raises
        ------
        InvalidEventError
        """
        if isinstance(event, Event):
            fields = msgspec.structs.asdict(event)
        elif isinstance(event, Mapping):
            fields = {k: v.item() if isinstance(v, np.generic) else v for k, v in event.items()}
        else:
            raise InvalidEventError(
                "not_an_object", f"expected an Event or a mapping, came {type(event).__name__}"
            )
        try:
            raw = msgspec.convert(fields, _RawEvent)
        except msgspec.ValidationError as error:
            raise _rejection_of(error) from None
        except UnicodeEncodeError as error:
            raise InvalidEventError(
                "wrong_type", f"expected text that UTF-8 can encode: {error}"
            ) from None
        return self._check(raw, default_s, None)

    def _parse(self, value: bytes | None) -> _RawEvent:
        if value is None:
            raise InvalidEventError("null_value", "expected a JSON object, came no value")
        if len(value) > self._settings.value_bytes_max:
            limit = self._settings.value_bytes_max
            raise InvalidEventError(
                "too_large", f"expected at most {limit} bytes, came {len(value)}"
            )
        try:
            return self._decoder.decode(value)
        except msgspec.ValidationError as error:
            raise _rejection_of(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if _NOT_FINITE.search(value):
                raise InvalidEventError(
                    "not_finite", "expected finite numbers, came NaN or Infinity"
                ) from None
            raise InvalidEventError("not_json", f"expected a JSON object: {error}") from None

    def _check(
        self, raw: _RawEvent, default_s: float | None, latest_s: float | None
    ) -> Event | None:
        user = self._id("user", raw.user)
        if raw.type == FORGET:
            return Event(user=user, item="", type=FORGET, ts=default_s or 0.0)
        if raw.item is msgspec.UNSET:
            raise InvalidEventError("missing_field", "Object missing required field `item`")
        item = self._id("item", raw.item)
        event_type = self._types.get(raw.type)
        if event_type is None:
            if self._settings.unknown_type == "ignore":
                return None
            known = ", ".join(sorted(self._types))
            raise InvalidEventError(
                "unknown_type", f"expected one of {known}; came {raw.type[:64]!r}"
            )
        return Event(
            user=user,
            item=item,
            type=raw.type,
            value=_value(raw.value, raw.type, event_type),
            ts=self._time(raw.ts, default_s, latest_s),
            event_id=None if raw.event_id is None else self._id("event_id", raw.event_id),
            session=None if raw.session is None else self._id("session", raw.session),
            context=raw.context,
        )

    def _id(self, field: str, value: Scalar) -> str:
        text = value if isinstance(value, str) else _decimal(field, value)
        if not text:
            raise InvalidEventError(
                "empty_id", f"expected {field} of at least one character, came none"
            )
        limit = self._settings.id_bytes_max
        try:
            n_bytes = len(text.encode())
        except UnicodeEncodeError as error:
            raise InvalidEventError(
                "wrong_type", f"expected {field} as text that UTF-8 can encode: {error}"
            ) from None
        if n_bytes > limit:
            raise InvalidEventError(
                "id_too_long", f"expected {field} of at most {limit} bytes, came {n_bytes}"
            )
        return text

    def _time(self, ts: Scalar | None, default_s: float | None, latest_s: float | None) -> float:
        if ts is None:
            if default_s is None:
                raise InvalidEventError(
                    "missing_field",
                    "expected a ts, as the record has no Kafka timestamp, came none",
                )
            return checked_time(default_s, f"a Kafka timestamp of {default_s} s")
        time_s = parse_time(ts)
        if latest_s is not None and time_s > latest_s + self._settings.future_tolerance_s:
            ahead_s = time_s - latest_s
            raise InvalidEventError(
                "future_timestamp",
                f"expected at most {self._settings.future_tolerance_s:.0f} s after the record's "
                "Kafka "
                f"timestamp, came {ahead_s:.0f} s after",
            )
        return time_s


def _decimal(field: str, value: int | float) -> str:
    """Write a number given as an id; the bound keeps the conversion of huge integers cheap."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidEventError("not_finite", f"expected a finite {field}, came {value}")
    if isinstance(value, int) and value.bit_length() > NUMBER_BITS_MAX:
        raise InvalidEventError(
            "id_too_long", f"expected {field} of at most 256 bytes, came a longer number"
        )
    return str(value)


def _value(value: float | None, name: str, event_type: EventType) -> float | None:
    if value is None:
        if event_type.value_required:
            raise InvalidEventError(
                "missing_field", f"expected a value with type {name!r}, came none"
            )
        return None
    number = to_float(value)
    if number is None or not math.isfinite(number):
        came = "a longer integer" if number is None else str(value)
        raise InvalidEventError(
            "not_finite", f"expected a finite value of double precision, came {came}"
        )
    scale = event_type.scale
    if scale is not None and not scale[0] <= number <= scale[1]:
        raise InvalidEventError(
            "outside_scale",
            f"expected a value from {scale[0]:g} to {scale[1]:g} for {name!r}, came {number:g}",
        )
    return number


def _rejection_of(error: msgspec.ValidationError) -> InvalidEventError:
    """Translate msgspec's message, which names what was expected, what came and where."""
    text = str(error)
    if "missing required field" in text:
        return InvalidEventError("missing_field", text)
    if text.startswith("Expected `object`") and "$." not in text:
        return InvalidEventError("not_an_object", text)
    if "out of range" in text:
        return InvalidEventError("not_finite", text)
    return InvalidEventError("wrong_type", text)


def rated_types(settings: EventSettings) -> frozenset[str]:
    """Return the event types whose values are ratings: those that have a scale."""
    return frozenset(name for name, kind in settings.types.items() if kind.scale is not None)
