"""How batches share messages: in order, each partition once, bounded, and nothing lost."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.stream.batches import RecordBatch, cut, pack

RECORDS_MAX = 8


class Record(NamedTuple):
    partition: int
    offset: int


def batch(partition: int, first: int, n_records: int) -> RecordBatch:
    return RecordBatch([Record(partition, first + x) for x in range(n_records)], first)


batch_lists = st.lists(
    st.builds(batch, st.integers(0, 4), st.integers(0, 100), st.integers(1, RECORDS_MAX)),
    max_size=20,
)


@given(batch_lists)
def test_packed_messages_are_the_batches_in_order(batches: list[RecordBatch]) -> None:
    messages = list(pack(batches, RECORDS_MAX))
    assert [one for message in messages for one in message] == batches
    for message in messages:
        assert sum(len(one.records) for one in message) <= RECORDS_MAX
        assert len({one.partition for one in message}) == len(message)


@given(batch_lists)
def test_no_two_messages_in_a_row_could_have_been_one(batches: list[RecordBatch]) -> None:
    messages = list(pack(batches, RECORDS_MAX))
    for message, following in pairwise(messages):
        n_records = sum(len(one.records) for one in message) + len(following[0].records)
        partitions = {one.partition for one in message}
        assert n_records > RECORDS_MAX or following[0].partition in partitions


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(0, 3))
def test_cut_batches_are_adjacent_and_begin_where_was_asked(gaps: list[int], before: int) -> None:
    start, offset, records = 10, 10 + before, []
    for gap in gaps:
        records.append(Record(0, offset))
        offset += gap
    batches = cut(records, start, RECORDS_MAX)
    assert [record for one in batches for record in one.records] == records
    assert all(1 <= len(one.records) <= RECORDS_MAX for one in batches)
    assert [one.start for one in batches] == [start, *(one.last + 1 for one in batches[:-1])]
