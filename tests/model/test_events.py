"""Decoding of events: what is accepted means the same however written, what is not has a code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings, EventType
from stream_rec.errors import InvalidEventError
from stream_rec.model.events import Event, EventDecoder

RECORDED_MS = 1_714_557_600_000
CODES = {
    *("not_json", "not_an_object", "null_value", "too_large", "missing_field", "wrong_type"),
    *("empty_id", "id_too_long", "not_finite", "unknown_type", "future_timestamp"),
    *("bad_timestamp", "outside_scale", "key_mismatch"),
}
DECODER = EventDecoder(EventSettings())
BASE = {"user": "ann", "item": "alien", "type": "click"}
LONG_NUMBER = b"1" + b"0" * 400


def decoded(changes: dict[str, Any], key: bytes = b"ann", timestamp_ms: int = RECORDED_MS) -> Event:
    event = DECODER.from_record(json.dumps(BASE | changes).encode(), key, timestamp_ms)
    assert event is not None
    return event


def code_of(
    value: bytes | None, key: bytes | None = b"ann", timestamp_ms: int = RECORDED_MS
) -> str:
    """Return the code with which a record is refused, "accepted" where it is not."""
    try:
        DECODER.from_record(value, key, timestamp_ms)
    except InvalidEventError as refused:
        return refused.code
    return "accepted"


def event_json(fields: str) -> bytes:
    """Return an event with more fields, given as JSON text."""
    return f'{{"user":"ann","item":"alien",{fields}}}'.encode()


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("not_json", b""),
        ("not_json", b"{"),
        ("not_json", b"\xff\xfe"),
        ("not_json", b'{"user":"NaN","item":'),
        ("not_json", b'{"user":"ann","item":"\\ud800","type":"click"}'),
        ("not_json", b'{"user":"ann","item":"\xff","type":"click"}'),
        ("not_json", event_json('"type":"click","context":' + "[" * 100_000)),
        ("not_an_object", b"[]"),
        ("not_an_object", b"null"),
        ("not_an_object", b'"click"'),
        ("null_value", None),
        ("too_large", b" " * 1_000_001),
        ("missing_field", b"{}"),
        ("missing_field", event_json('"value":1')),
        ("missing_field", event_json('"type":"rating"')),
        ("wrong_type", event_json('"type":7')),
        ("wrong_type", event_json('"type":"click","value":"9"')),
        ("wrong_type", event_json('"type":"click","value":true')),
        ("wrong_type", event_json('"type":"click","event_id":[]')),
        ("wrong_type", b'{"user":null,"item":"alien","type":"click"}'),
        ("empty_id", b'{"user":"","item":"alien","type":"click"}'),
        ("empty_id", b'{"user":"ann","item":"","type":"click"}'),
        ("empty_id", event_json('"type":"click","event_id":""')),
        ("id_too_long", b'{"user":"ann","item":"%s","type":"click"}' % (b"x" * 257)),
        ("id_too_long", b'{"user":"ann","item":"%s","type":"click"}' % ("ä" * 129).encode()),
        ("id_too_long", b'{"user":"ann","item":%s,"type":"click"}' % LONG_NUMBER),
        ("not_finite", event_json('"type":"click","value":NaN')),
        ("not_finite", event_json('"type":"click","value":-Infinity')),
        ("not_finite", event_json('"type":"click","value":1e999')),
        ("not_finite", event_json(f'"type":"click","value":-{LONG_NUMBER.decode()}')),
        ("not_finite", event_json(f'"type":"rating","value":1{"0" * 5_000}')),
        ("not_finite", event_json('"type":"click","ts":1e999')),
        ("unknown_type", event_json('"type":"clck"')),
        ("bad_timestamp", event_json('"type":"click","ts":-1')),
        ("bad_timestamp", event_json(f'"type":"click","ts":{LONG_NUMBER.decode()}')),
        ("bad_timestamp", event_json('"type":"click","ts":1e14')),
        ("bad_timestamp", event_json('"type":"click","ts":"yesterday"')),
        ("bad_timestamp", event_json('"type":"click","ts":"2024-05-01T12:00:00"')),
        ("bad_timestamp", event_json('"type":"click","ts":"9999-12-31T23:59:59-23:59"')),
        ("bad_timestamp", event_json('"type":"click","ts":"0001-01-01T00:00:00+23:59"')),
        ("future_timestamp", event_json(f'"type":"click","ts":{RECORDED_MS // 1000 + 86_401}')),
        ("outside_scale", event_json('"type":"rating","value":10.001')),
        ("outside_scale", event_json('"type":"rating","value":-1')),
        ("key_mismatch", b'{"user":"bob","item":"alien","type":"click"}'),
    ],
)
def test_unusable_record_is_refused_with_its_code(code: str, value: bytes | None) -> None:
    assert code_of(value) == code


def test_reason_says_what_was_expected_and_what_came() -> None:
    with pytest.raises(InvalidEventError, match=r"expected a value from 0 to 10 .* came 11"):
        decoded({"type": "rating", "value": 11})
    with pytest.raises(InvalidEventError, match=r"one of bookmark, .*, view; came 'clck'"):
        decoded({"type": "clck"})


def test_record_without_key_is_refused() -> None:
    assert code_of(json.dumps(BASE).encode(), None) == "key_mismatch"


def test_what_is_just_within_its_bound_is_accepted() -> None:
    assert decoded({"item": "x" * 256}).item == "x" * 256
    assert decoded({"item": "ä" * 128}).item == "ä" * 128
    assert decoded({"type": "rating", "value": 0}).value == 0.0
    assert decoded({"type": "rating", "value": 10}).value == 10.0
    assert decoded({"ts": RECORDED_MS / 1000 + 86_400}).ts == RECORDED_MS / 1000 + 86_400


@given(st.integers(-(10**250), 10**250))
def test_number_as_id_means_its_decimal_string(number: int) -> None:
    event = decoded({"user": number, "item": number, "event_id": number}, str(number).encode())
    assert (event.user, event.item, event.event_id) == (str(number),) * 3


@given(st.integers(100_000_000, RECORDED_MS // 1000))
def test_time_means_the_same_in_seconds_milliseconds_and_rfc_3339(time_s: int) -> None:
    text = datetime.fromtimestamp(time_s, UTC).isoformat()
    written = (time_s, float(time_s), time_s * 1000, text, text.replace("+00:00", "Z"))
    assert [decoded({"ts": ts}).ts for ts in written] == [float(time_s)] * 5


def test_time_zone_is_heeded() -> None:
    assert decoded({"ts": "1970-01-02T01:00:00+01:00"}).ts == 86_400.0


def test_time_defaults_to_the_kafka_timestamp() -> None:
    assert decoded({}).ts == decoded({"ts": None}).ts == RECORDED_MS / 1000


def test_record_without_kafka_timestamp_needs_a_time_of_its_own() -> None:
    assert decoded({"ts": 1_714_557_600}, timestamp_ms=-1).ts == 1_714_557_600.0
    assert code_of(json.dumps(BASE).encode(), timestamp_ms=-1) == "missing_field"


def test_kafka_timestamp_out_of_all_bounds_is_refused() -> None:
    assert code_of(json.dumps(BASE).encode(), timestamp_ms=10**18) == "bad_timestamp"


def test_unknown_fields_are_ignored_and_known_ones_kept() -> None:
    event = decoded({"session": 3, "context": {"page": [1]}, "colour": "red"})
    assert (event.session, event.context) == ("3", {"page": [1]})


def test_unknown_type_may_be_ignored_and_types_may_be_added() -> None:
    settings = EventSettings(unknown_type="ignore", types={"play": EventType(weight=0.5)})
    decoder = EventDecoder(settings)
    for kind, is_known in (("play", True), ("clck", False)):
        event = decoder.from_record(json.dumps(BASE | {"type": kind}).encode(), b"ann", RECORDED_MS)
        assert (event is not None) == is_known
