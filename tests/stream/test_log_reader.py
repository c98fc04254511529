"""A changelog is read from where a store ends; one that begins later has lost records."""

from __future__ import annotations

from contextlib import aclosing
from unittest.mock import Mock

import confluent_kafka
import pytest

from stream_rec.errors import StateError
from stream_rec.settings import KafkaSettings
from stream_rec.stream.effects import LogRecord
from stream_rec.stream.log_reader import LogReader

END = 100
RECORD = LogRecord(90, b"key", b"value", 1)


async def read(start: int, first: int, monkeypatch: pytest.MonkeyPatch) -> list[LogRecord]:
    """Read from a log with one record, which begins at an offset and ends at `END`."""
    consumer = Mock(**{"get_watermark_offsets.return_value": (first, END)})
    monkeypatch.setattr(confluent_kafka, "Consumer", lambda _: consumer)
    reader = LogReader(KafkaSettings())
    monkeypatch.setattr(reader, "_take", lambda *_: ([RECORD], END))
    try:
        async with aclosing(reader.read("changelog", 3, start, END)) as batches:
            return [record async for records in batches for record in records]
    finally:
        await reader.close()


@pytest.mark.parametrize(("start", "first"), [(0, 1), (0, END), (41, 42)])
async def test_log_that_has_lost_its_beginning_is_refused(
    start: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = rf"changelog, partition 3: .*offset {start} on.*begins at {first}.*--rebuild-from"
    with pytest.raises(StateError, match=message):
        await read(start, first, monkeypatch)


@pytest.mark.parametrize(("start", "first"), [(0, 0), (42, 42), (42, 0)])
async def test_gaps_of_compaction_are_no_loss(
    start: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await read(start, first, monkeypatch) == [RECORD]
