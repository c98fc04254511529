"""Where simulated records go: to Kafka, or to a file of JSON Lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import click

from producers.delivery import Delivery
from producers.simulation import SimulatedRecord
from stream_rec.errors import InputError

LABEL_HEADER, CODE_HEADER, EVENT_ID_HEADER = "sim-label", "sim-code", "sim-event-id"
"""Kafka headers that say what a record is; the dead-letter topic keeps them."""

LABELS_FILE_HEADER = ("position", "label", "code", "event_id")


class Sink(Protocol):
    """Takes records one by one."""

    def write(self, position: int, record: SimulatedRecord) -> None:
        """Take a record, the position-th of the stream."""


class KafkaSink:
    """Send records with headers that say what they are."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def write(self, position: int, record: SimulatedRecord) -> None:
        """Send a record."""
        headers = [
            (LABEL_HEADER, record.label.encode()),
            (CODE_HEADER, record.code.encode()),
            (EVENT_ID_HEADER, record.event_id.encode()),
        ]
        self._delivery.send(position, record.key, record.value, headers)


class FileSink:
    """Write the values as lines; keys are not written, a value of None is written as ``null``."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, position: int, record: SimulatedRecord) -> None:
        """Write a line."""
        self._stream.write((b"null" if record.value is None else record.value) + b"\n")


class LabelsSink:
    """Write what every record is beside another sink, as CSV."""

    def __init__(self, sink: Sink, stream: IO[str]) -> None:
        self._sink = sink
        self._table = csv.writer(stream, lineterminator="\n")
        self._table.writerow(LABELS_FILE_HEADER)

    def write(self, position: int, record: SimulatedRecord) -> None:
        """Write a record to the sink and its label to the table."""
        self._sink.write(position, record)
        self._table.writerow((position, record.label, record.code, record.event_id))


@contextmanager
def with_labels(sink: Sink, path: Path | None) -> Iterator[Sink]:
    """Add a file of labels to a sink, where one is asked for."""
    if path is None:
        yield sink
        return
    with open_output(str(path), "w") as stream:
        yield LabelsSink(sink, stream)


@contextmanager
def open_output(path: str, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file to write, as bytes unless told otherwise; ``-`` is standard output.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    try:
        stream = click.open_file(path, mode, encoding=None if "b" in mode else "utf-8")
    except OSError as error:
        raise InputError(
            f"expected a file to write at {path}, got: {error.strerror}; give another path"
        ) from None
    with stream:
        yield stream
