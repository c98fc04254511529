"""Events that cannot be used, as records of a topic of their own: as they came, with the reason.

What Kafka lets in may be too large to go out again with the reason beside it. Such a record goes
out cut, and says so: it is still whole where it came from, at the place that its headers name.
"""

from __future__ import annotations

from typing import NamedTuple

from stream_rec.kafka_clients import MESSAGE_BYTES_MAX
from stream_rec.model.runs import Refused
from stream_rec.stream.batches import EventRecord
from stream_rec.stream.changelog import FRAME_BYTES, Headers, bytes_of_headers

CUT = "dlq-cut"
ALL_PARTS = "key,headers,value"


class DeadLetter(NamedTuple):
    """A record of the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def dead_letter(
    record: EventRecord, refused: Refused, now_ms: int, bytes_max: int = MESSAGE_BYTES_MAX
) -> DeadLetter:
    """Return the record for an event, with why and whence it is refused after its own headers.

    Parameters
    ----------
    record : EventRecord
    refused : Refused
    now_ms : int
    bytes_max : int
        Of all that the record takes. The key goes along if it fits, then the headers that came,
        and as much of the value as there is room for.
    """
    told = [
        ("dlq-code", refused.code.encode()),
        ("dlq-reason", refused.reason.encode()),
        ("dlq-source-topic", record.topic.encode()),
        ("dlq-source-partition", b"%d" % record.partition),
        ("dlq-source-offset", b"%d" % record.offset),
        ("dlq-time-ms", b"%d" % now_ms),
    ]
    key, came, value, cut = record.key, list(record.headers), record.value, []
    room = bytes_max - FRAME_BYTES - bytes_of_headers([*told, (CUT, ALL_PARTS.encode())])
    if len(key or b"") > room:
        key, cut = None, ["key"]
    room -= len(key or b"")
    if bytes_of_headers(came) > room:
        came, cut = [], [*cut, "headers"]
    room -= bytes_of_headers(came)
    if value is not None and len(value) > room:
        value, cut = value[:room], [*cut, "value"]
    if cut:
        told.append((CUT, ",".join(cut).encode()))
    return DeadLetter(key, value, [*came, *told])
