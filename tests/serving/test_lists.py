"""The copy of the last lists: repeats and late lists change nothing, and junk is skipped."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.serving.cache import Cache, list_row, profile_row
from stream_rec.serving.follower import Followed
from stream_rec.serving.lists import Lists, Source
from stream_rec.settings import WorkerSettings

TOPIC = "recommendations"
Sent = tuple[str, Source | None]
"""A user, and the event that a list answers; None where the user was forgotten."""


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[Lists]:
    cache = Cache(tmp_path, WorkerSettings())
    yield Lists(cache)
    cache.close()


def message_of(user: str, source: Source) -> bytes:
    content = {"user": user, "items": [], "generated_at": 0, "model_version": "2"}
    return msgspec.json.encode({**content, "source": source})


def followed(offset: int, user: str, source: Source | None) -> Followed:
    value = None if source is None else message_of(user, source)
    return Followed(TOPIC, 0, offset, user.encode(), value, 0, None)


sources = st.builds(Source, partition=st.integers(0, 1), offset=st.integers(0, 5))
batches = st.lists(
    st.lists(st.tuples(st.sampled_from("ab"), st.none() | sources), max_size=6), max_size=6
)


@given(batches)
async def test_a_list_is_replaced_by_newer_ones_only(batches: list[list[Sent]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder), WorkerSettings())
        lists = Lists(cache)
        taken: list[Sent] = []
        lists.on_list = lambda record: taken.append(sent[record.offset])
        sent = [one for batch in batches for one in batch]
        expected: list[Sent] = []
        last: dict[str, Source | None] = {}
        at = 0
        for batch in batches:
            await lists.take([followed(at + n, *one) for n, one in enumerate(batch)])
            at += len(batch)
        for user, source in sent:
            before = last.get(user)
            is_older = (
                source is not None
                and before is not None
                and source.partition == before.partition
                and source.offset <= before.offset
            )
            if not is_older:
                expected.append((user, source))
                last[user] = source
        assert taken == expected
        for user, source in last.items():
            assert lists.message(user) == (None if source is None else message_of(user, source))
        cache.close()


async def test_what_is_no_list_is_skipped_and_named(
    lists: Lists, caplog: pytest.LogCaptureFixture
) -> None:
    junk = Followed(TOPIC, 3, 17, b"a", b"\xff{", 0, None)
    with caplog.at_level(logging.WARNING):
        await lists.take([junk, followed(18, "a", Source(0, 1))])
    assert lists.message("a") == message_of("a", Source(0, 1))
    assert "recommendations-3: expected a list at offset 17" in caplog.text


def test_a_copy_begins_with_nothing(tmp_path: Path) -> None:
    """Whoever was forgotten while it was put away would come back otherwise."""
    before = Cache(tmp_path, WorkerSettings())
    before.write([list_row(b"ann", b"a list"), profile_row(b"u-ann", b"a profile")])
    before.close()
    copy = Cache(tmp_path, WorkerSettings())
    assert (copy.lists_of([b"ann"]), copy.profile_row(b"u-ann")) == ([None], None)
    copy.close()


WHOLE = {
    "user": "a",
    "items": [{"item": "x"}],
    "generated_at": 0,
    "model_version": "2",
    "source": {"partition": 0, "offset": 5},
}
BROKEN = {
    "only a source": {"source": WHOLE["source"]},
    "items without ids": {**WHOLE, "items": [{"score": 1.0}]},
    "items that are none": {**WHOLE, "items": "x"},
    "no time": {**WHOLE, "generated_at": None},
    "negative offset": {**WHOLE, "source": {"partition": 0, "offset": -1}},
}
NESTED = b'{"user":' + b"[" * 100_000


@pytest.mark.parametrize(
    "value",
    [*map(msgspec.json.encode, BROKEN.values()), NESTED, b'{"user":"\xff"}'],
    ids=[*BROKEN, "deeply nested", "not UTF-8"],
)
async def test_a_list_that_is_not_whole_is_skipped_and_reaches_nobody(
    lists: Lists, caplog: pytest.LogCaptureFixture, value: bytes
) -> None:
    seen: list[int] = []
    lists.on_list = lambda record: seen.append(record.offset)
    whole = Followed(TOPIC, 0, 1, b"a", msgspec.json.encode(WHOLE), 0, None)
    with caplog.at_level(logging.WARNING):
        await lists.take([Followed(TOPIC, 0, 0, b"a", value, 0, None), whole])
    assert seen == [1]
    assert lists.message("a") == whole.value
    assert "recommendations-0: expected a list at offset 0" in caplog.text
