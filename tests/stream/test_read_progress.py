"""Long reads say how far they are; short ones are quiet."""

from __future__ import annotations

import logging

import pytest

from stream_rec.stream.read_progress import ReadProgress


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_long_read_tells_its_share_and_its_rate(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    progress = ReadProgress(clock)
    with caplog.at_level(logging.INFO):
        progress.begin("items", 3, 1_000, 5_000)
        for position in range(1_500, 5_500, 500):
            clock.now_s += 1
            progress.advance(position, 400)
    assert [record.getMessage() for record in caplog.records] == [
        "items, partition 3: 2,000 records read, at offset 3,500 of 5,000 (62 %), "
        "400 records a second"
    ]


def test_figures_name_what_is_being_read_only_while_it_is() -> None:
    clock = Clock()
    progress = ReadProgress(clock)
    progress.begin("items", 0, 0, 100)
    clock.now_s += 2
    progress.advance(60, 50)
    assert progress.snapshot() == {
        "records_read": 50,
        "reading": "items, partition 0",
        "offsets_to_go": 40,
        "records_per_s": 25,
    }
    progress.advance(100, 10)
    assert progress.snapshot() == {"records_read": 60}
