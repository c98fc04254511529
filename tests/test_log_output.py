"""The log as JSON: an object a line, errors with their traceback in it; as text: as it was."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stream_rec.log_output import CHATTY_LOGGERS, set_up_logging

logger = logging.getLogger("stream_rec.some.module")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in CHATTY_LOGGERS}
    yield
    root.handlers, root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_every_line_is_an_object_that_names_its_origin(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "json")
    logger.info("partition %d goes on from offset %d", 3, 17)
    try:
        raise ValueError("über\nzwei Zeilen")
    except ValueError:
        logger.exception("failed")
    logger.debug("not shown")
    logging.getLogger("aiokafka.consumer").info("not shown either")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["partition 3 goes on from offset 17", "failed"]
    assert [line["level"] for line in lines] == ["info", "error"]
    assert {line["logger"] for line in lines} == {"stream_rec.some.module"}
    assert "ValueError: über\nzwei Zeilen" in lines[1]["exception"]
    age = datetime.now(UTC) - datetime.fromisoformat(lines[0]["timestamp"])
    assert abs(age.total_seconds()) < 60


def test_text_is_a_line_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning", "text")
    logger.info("not shown")
    logger.warning("look at the brokers")
    [line] = capfd.readouterr().err.splitlines()
    assert line.endswith("WARNING stream_rec.some.module: look at the brokers")
