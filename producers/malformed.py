"""Events that cannot be used, one maker for each refusal code of docs/messages.md.

A maker gets a valid event and spoils it in one way; where there are several ways the number of the
record chooses. The codes are those of the default configuration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

YEAR_3000_MS = 32_503_680_000_000
ID_BYTES_TOO_MANY = 300
VALUE_BYTES_TOO_MANY = 1_000_001
"""Over the worker's default limit, still under the default limit of a broker."""


class Spoiled(NamedTuple):
    """Key and value of a record that must be refused."""

    key: bytes
    value: bytes | None


Maker = Callable[[dict[str, Any], int], Spoiled]


def _record(event: Mapping[str, Any]) -> Spoiled:
    return Spoiled(str(event["user"]).encode(), json.dumps(event).encode())


def _with(number: int, *changes: dict[str, Any]) -> dict[str, Any]:
    return changes[number % len(changes)]


def _not_json(event: dict[str, Any], number: int) -> Spoiled:
    key, value = _record(event)
    whole = value or b""
    return Spoiled(
        key, (whole[: len(whole) // 2], b"\xff\xfe\x00", b"", b"user=1&item=2")[number % 4]
    )


def _not_an_object(event: dict[str, Any], number: int) -> Spoiled:
    return Spoiled(_record(event).key, (b"[1,2]", b"null", b'"event"', b"42")[number % 4])


def _null_value(event: dict[str, Any], number: int) -> Spoiled:
    return Spoiled(_record(event).key, None)


def _too_large(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | {"context": {"blob": "x" * VALUE_BYTES_TOO_MANY}})


def _missing_field(event: dict[str, Any], number: int) -> Spoiled:
    missing = ("user", "item", "type")[number % 3]
    left = {name: field for name, field in event.items() if name != missing}
    return Spoiled(_record(event).key, json.dumps(left).encode())


def _wrong_type(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | _with(number, {"item": ["a"]}, {"value": "high"}, {"type": 7}))


def _empty_id(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | _with(number, {"item": ""}, {"user": ""}))


def _id_too_long(event: dict[str, Any], number: int) -> Spoiled:
    long_id = "x" * ID_BYTES_TOO_MANY
    return _record(event | _with(number, {"item": long_id}, {"user": long_id}))


def _not_finite(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | _with(number, {"value": float("nan")}, {"value": float("inf")}))


def _unknown_type(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | {"type": "teleport"})


def _future_timestamp(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | {"ts": YEAR_3000_MS})


def _bad_timestamp(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | _with(number, {"ts": "yesterday"}, {"ts": -5}))


def _outside_scale(event: dict[str, Any], number: int) -> Spoiled:
    return _record(event | {"type": "rating"} | _with(number, {"value": 11}, {"value": -1}))


def _key_mismatch(event: dict[str, Any], number: int) -> Spoiled:
    return Spoiled(b"not-" + _record(event).key, _record(event).value)


MAKERS: Mapping[str, Maker] = {
    "not_json": _not_json,
    "not_an_object": _not_an_object,
    "null_value": _null_value,
    "too_large": _too_large,
    "missing_field": _missing_field,
    "wrong_type": _wrong_type,
    "empty_id": _empty_id,
    "id_too_long": _id_too_long,
    "not_finite": _not_finite,
    "unknown_type": _unknown_type,
    "future_timestamp": _future_timestamp,
    "bad_timestamp": _bad_timestamp,
    "outside_scale": _outside_scale,
    "key_mismatch": _key_mismatch,
}
"""How to make an event that is refused with a code, by code."""

CODES = tuple(MAKERS)
SMALL_CODES = tuple(code for code in CODES if code != "too_large")
"""Without the megabyte blobs, which would fill the embedded broker within a few records."""
