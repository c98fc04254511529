"""docs/messages.md, the JSON Schemas and the decoder say the same about messages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stream_rec.config import EventSettings
from stream_rec.errors import InvalidEventError
from stream_rec.model.events import EventDecoder
from stream_rec.settings import BUILTIN_EVENT_TYPES

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "messages.md").read_text(encoding="utf-8")
RECORDED_MS = 1_714_557_600_000
SCHEMA_NAMES = {
    "event": "event",
    "recommendations": "recommendations",
    "recommendations-headers": "recommendations_headers",
    "dlq-headers": "dlq_headers",
}
MADE_EXAMPLES: dict[str, tuple[bytes | None, bytes | None]] = {
    "null_value": (b"ann", None),
    "too_large": (b"ann", b" " * 1_000_001),
    "id_too_long": (b"ann", b'{"user": "ann", "item": "%s", "type": "click"}' % (b"x" * 257)),
}
DECODER = EventDecoder(EventSettings())


def schema(name: str) -> dict[str, Any]:
    text = (DOCS / "schemas" / f"{SCHEMA_NAMES[name]}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def strict(node: Any) -> Any:
    """Return a schema under which a field that is not documented is an error."""
    if isinstance(node, list):
        return [strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {key: strict(value) for key, value in node.items()}
    return {**closed, "additionalProperties": False} if "properties" in node else closed


def is_valid(value: Any) -> bool:
    valid: bool = EVENT_VALIDATOR.is_valid(value)
    return valid


EVENT_VALIDATOR = Draft202012Validator(schema("event"))
EXAMPLES = re.findall(r"^```json ([a-z-]+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
CODE_ROWS = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| (?:`(.+)` )?\|$", PAGE, re.MULTILINE)
REFUSED_ALONE = [(code, text) for code, text in CODE_ROWS if code != "too_many_items"]
"""Codes that depend on the record alone, not on the events before it."""
CODES = schema("dlq-headers")["properties"]["dlq-code"]["enum"]


def refusal_code(key: bytes | None, value: bytes | None) -> str | None:
    """Return the code with which the decoder refuses a record; None for an accepted one."""
    try:
        DECODER.from_record(value, key, RECORDED_MS)
    except InvalidEventError as refused:
        return refused.code
    return None


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_documented_examples_follow_the_schemas(name: str, text: str) -> None:
    document = schema(name) if name == "event" else strict(schema(name))
    Draft202012Validator(document).validate(json.loads(text))


def test_every_schema_has_a_documented_example() -> None:
    assert {name for name, _ in EXAMPLES} == set(SCHEMA_NAMES)


@pytest.mark.parametrize("text", [text for name, text in EXAMPLES if name == "event"])
def test_documented_events_are_accepted(text: str) -> None:
    key = str(json.loads(text)["user"]).encode()
    assert refusal_code(key, text.encode()) is None


def test_documented_codes_are_those_of_the_schema() -> None:
    assert [code for code, _ in CODE_ROWS] == CODES


@pytest.mark.parametrize(("code", "text"), REFUSED_ALONE)
def test_documented_refusals_have_their_code(code: str, text: str) -> None:
    key, value = (b"ann", text.encode()) if text else MADE_EXAMPLES[code]
    assert refusal_code(key, value) == code


def test_documented_types_are_the_built_in_ones() -> None:
    table = PAGE.split("### Types of events")[1].split("## Recommendations")[0]
    rows = re.findall(r"^\| (`.+`) \| (1|−1) \| (.+) \|$", table, re.MULTILINE)
    documented = {
        name: (float(weight.replace("−", "-")), note.startswith("required"))
        for names, weight, note in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    built_in = {
        name: (each.weight, each.value_required) for name, each in BUILTIN_EVENT_TYPES.items()
    }
    assert documented == built_in


# Texts of at most 64 characters are at most 256 bytes, whatever the characters.
ids = st.text(min_size=1, max_size=64) | st.integers(-(10**30), 10**30)
times = (
    st.integers(0, RECORDED_MS // 1000)
    | st.integers(10**11, RECORDED_MS)
    | st.floats(0, RECORDED_MS / 1000)
    | st.datetimes(datetime(1970, 1, 2), datetime(2024, 5, 1)).map(
        lambda moment: moment.replace(tzinfo=UTC).isoformat()
    )
)
numbers = st.floats(0, 10) | st.integers(0, 10)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
events = st.fixed_dictionaries(
    {
        "user": ids,
        "item": ids,
        "type": st.sampled_from(sorted(BUILTIN_EVENT_TYPES)),
        "value": numbers,
    },
    optional={
        "ts": st.none() | times,
        "event_id": st.none() | ids,
        "session": st.none() | ids,
        "context": json_values,
        "another": json_values,
    },
)


def key_of(event: dict[str, Any]) -> bytes:
    return str(event["user"]).encode()


@given(events)
def test_schema_valid_events_are_accepted(event: dict[str, Any]) -> None:
    assert is_valid(event)
    value = json.dumps(event).encode()
    assert refusal_code(key_of(event), value) is None


@given(
    event=events,
    field=st.sampled_from(["user", "item", "type", "value", "ts", "event_id"]),
    put=json_values,
)
def test_schema_invalid_events_are_refused(event: dict[str, Any], field: str, put: Any) -> None:
    changed = {**event, field: put}
    if not is_valid(changed):
        assert refusal_code(key_of(changed), json.dumps(changed).encode()) in CODES


@given(events, st.sampled_from(["user", "item", "type"]))
def test_missing_fields_are_refused(event: dict[str, Any], field: str) -> None:
    key = key_of(event)
    del event[field]
    assert not is_valid(event)
    assert refusal_code(key, json.dumps(event).encode()) == "missing_field"


@given(st.binary(max_size=60), st.none() | st.binary(max_size=8))
def test_any_bytes_are_accepted_or_refused_with_a_documented_code(
    value: bytes, key: bytes | None
) -> None:
    assert refusal_code(key, value) in [None, *CODES]


@given(events, st.data())
def test_damaged_events_are_accepted_or_refused_with_a_documented_code(
    event: dict[str, Any], data: st.DataObject
) -> None:
    damaged = bytearray(json.dumps(event).encode())
    position = data.draw(st.integers(0, len(damaged) - 1))
    damaged[position] = data.draw(st.integers(0, 255))
    assert refusal_code(key_of(event), bytes(damaged)) in [None, *CODES]


@given(events)
def test_an_id_given_as_number_means_its_decimal_string(event: dict[str, Any]) -> None:
    as_text = {**event, "user": str(event["user"]), "item": str(event["item"])}
    decoded = [
        DECODER.from_record(json.dumps(each).encode(), key_of(each), RECORDED_MS)
        for each in (event, as_text)
    ]
    assert decoded[0] == decoded[1]
