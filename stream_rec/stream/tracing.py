"""Trace context of events: it goes from an event on to the list that the event refreshed.

The headers are those of the W3C's Trace Context (https://www.w3.org/TR/trace-context), as
OpenTelemetry's instrumentations of Kafka clients write and read them. Nothing is recorded here; a
subscriber continues the trace that the producer of the event began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stream_rec.stream.batches import EventRecord
from stream_rec.stream.changelog import Headers

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
TRACEPARENT_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
TRACESTATE_LENGTH_MAX = 512


def traces_of(records: Iterable[EventRecord]) -> dict[int, Headers]:
    """Return the trace headers of the records that have any, by offset; none of undue length."""
    traces: dict[int, Headers] = {}
    for record in records:
        found = {
            name: value
            for name, value in record.headers
            if name in (TRACEPARENT, TRACESTATE) and len(value or b"") <= TRACESTATE_LENGTH_MAX
        }
        if found:
            traces[record.offset] = list(found.items())
    return traces


def trace_headers(given: Mapping[str, str]) -> Headers:
    """Return the trace headers of an HTTP request, for a Kafka record; none where it is no trace.

    Examples
    --------
    >>> trace_headers({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "accept": "*/*"})
    [('traceparent', b'00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01')]
    >>> trace_headers({"traceparent": "yes"})
    []
    """
    parent = given.get(TRACEPARENT, "")
    if not TRACEPARENT_FORM.fullmatch(parent):
        return []
    state = given.get(TRACESTATE, "")
    headers: Headers = [(TRACEPARENT, parent.encode())]
    if state and state.isascii() and len(state) <= TRACESTATE_LENGTH_MAX:
        headers.append((TRACESTATE, state.encode()))
    return headers
