"""A dead letter is its event as it came where Kafka takes that, and never larger than it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.model.runs import Refused
from stream_rec.stream.batches import EventRecord
from stream_rec.stream.dead_letters import DeadLetter, dead_letter

BYTES_MAX = 2_000
OWN_BYTES_MAX = 900
"""Of the reason and what goes with it, with all that frames them."""
parts = st.one_of(st.none(), st.binary(max_size=40), st.integers(0, 3_000).map(bytes))
headers = st.lists(st.tuples(st.sampled_from(["a", "trace"]), parts), max_size=3)


def letter_of(key: bytes | None, value: bytes | None, came: list) -> DeadLetter:
    record = EventRecord("events", 3, 8_191, 0, key, value, came)
    return dead_letter(record, Refused(0, "too_large", "expected less"), 7, BYTES_MAX)


def bytes_of(letter: DeadLetter) -> int:
    """What librdkafka counts, and some more for each header."""
    framed = sum(len(name) + len(value or b"") + 10 for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + framed


@given(parts, parts, headers)
def test_it_fits_and_says_what_is_not_whole(
    key: bytes | None, value: bytes | None, came: list
) -> None:
    letter = letter_of(key, value, came)
    told = dict(letter.headers[-7:])
    cut = told.get("dlq-cut", b"").decode().split(",")
    assert bytes_of(letter) <= BYTES_MAX
    assert (letter.key == key) == ("key" not in cut)
    assert (letter.headers[: len(came)] == came) or "headers" in cut
    assert (letter.value == value) == ("value" not in cut)
    assert (value or b"").startswith(letter.value or b"")
    assert (told["dlq-code"], told["dlq-source-offset"]) == (b"too_large", b"8191")


@given(parts, parts, headers)
def test_what_fits_is_left_as_it_came(key: bytes | None, value: bytes | None, came: list) -> None:
    size = len(key or b"") + len(value or b"") + sum(len(v or b"") + 100 for _, v in came)
    letter = letter_of(key, value, came)
    if size <= BYTES_MAX - OWN_BYTES_MAX:
        assert (letter.key, letter.value, letter.headers[: len(came)]) == (key, value, came)
        assert "dlq-cut" not in dict(letter.headers)
