"""Whatever comes, decoding gives an event within bounds or a refusal with a known code."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.config import EventSettings
from stream_rec.errors import InvalidEventError
from stream_rec.model.events import Event, EventDecoder
from tests.model.test_events import BASE, CODES, RECORDED_MS

DECODER = EventDecoder(EventSettings())

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**320), 10**320)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.text("ab\ud800é", max_size=4)
    | st.text("0123456789TZ:+-. ", max_size=25)
    | st.sampled_from(["", "x" * 257, "click", "rating", "2024-05-01T12:00:00Z", "NaN", 1e308])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
fields = st.sampled_from(["user", "item", "type", "value", "ts", "event_id", "session", "context"])
objects = st.dictionaries(fields, values, max_size=4).map(lambda given: BASE | given)
keys = st.none() | st.binary(max_size=4) | st.just(b"ann")
timestamps = st.integers(-(2**63), 2**63 - 1) | st.just(RECORDED_MS)


def check(event: Event | None) -> None:
    assert event is not None, "no type is ignored here"
    for text in (event.user, event.item, event.event_id, event.session):
        assert text is None or 0 < len(text.encode()) <= 256
    assert event.ts is not None
    assert 0.0 <= event.ts < 1e11
    assert event.value is None or math.isfinite(event.value)
    assert event.type in EventSettings().types


def check_code(refused: InvalidEventError) -> None:
    assert refused.code in CODES
    assert len(refused.reason) < 1_000


def check_record(value: bytes | None, key: bytes | None, timestamp_ms: int) -> None:
    try:
        event = DECODER.from_record(value, key, timestamp_ms)
    except InvalidEventError as refused:
        check_code(refused)
        return
    check(event)
    assert event.user.encode() == key


@given(st.binary(max_size=60), keys, timestamps)
def test_any_bytes_are_decoded_or_refused(
    value: bytes, key: bytes | None, timestamp_ms: int
) -> None:
    check_record(value, key, timestamp_ms)


@given(objects, keys, timestamps)
def test_any_object_is_decoded_or_refused(
    fields: dict[str, Any], key: bytes | None, timestamp_ms: int
) -> None:
    check_record(json.dumps(fields).encode(), key, timestamp_ms)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=3), timestamps)
def test_any_damage_to_an_event_is_decoded_or_refused(
    at: int, damage: bytes, timestamp_ms: int
) -> None:
    whole = json.dumps(BASE | {"value": 1.5, "ts": 1_714_557_600, "event_id": "e"}).encode()
    check_record(whole[:at] + damage + whole[at + len(damage) :], b"ann", timestamp_ms)
    check_record(whole[:at], b"ann", timestamp_ms)


@given(objects | st.dictionaries(scalars, scalars, max_size=3))
def test_any_mapping_is_taken_or_refused(fields: dict[Any, Any]) -> None:
    try:
        event = DECODER.from_object(fields, 5.0)
    except InvalidEventError as refused:
        check_code(refused)
        return
    check(event)


@pytest.mark.parametrize("given", [5, None, [1], "click", object()])
def test_what_is_no_mapping_is_refused(given: object) -> None:
    with pytest.raises(InvalidEventError) as refused:
        DECODER.from_object(given, 5.0)  # type: ignore[arg-type]
    assert refused.value.code == "not_an_object"


def test_mapping_may_hold_numbers_of_numpy() -> None:
    event = DECODER.from_object(
        {"user": np.int64(7), "item": np.str_("a"), "type": "rating", "value": np.float32(3)}, 5.0
    )
    assert event == Event(user="7", item="a", type="rating", value=3.0, ts=5.0)


@given(objects)
def test_event_that_was_accepted_is_accepted_unchanged_as_object_and_as_record(
    fields: dict[str, Any],
) -> None:
    try:
        event = DECODER.from_object(fields, 5.0)
    except InvalidEventError:
        return
    assert event is not None
    again = DECODER.from_object(event, 6.0)
    assert again == event
    written = msgspec.json.encode(msgspec.structs.replace(event, context=None))
    recorded = DECODER.from_record(written, event.user.encode(), int(1e14) - 1)
    assert recorded is not None
    assert (recorded.user, recorded.item, recorded.ts) == (event.user, event.item, event.ts)
