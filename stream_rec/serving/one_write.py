"""A transport that sends the head and the body of an answer with one call of the system.

And limits of what a request's head takes and of how long a request does, of which uvicorn has none.

uvicorn writes one after the other, and uvloop sends each at once: two calls, two packets, and a
reader that is woken twice. That costs as much as finding the list that is sent.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stream_rec.serving.problems import HttpError

HEAD_BYTES_MAX = 65_536
"""Of a request's line and headers together."""
REQUEST_S = 30.0
"""From the beginning of a connection, or of a later request, until all of a request has come."""


class OneWriteTransport:
    """Puts off every other write: to the next one, or to the end of the event loop's turn.

    Parameters
    ----------
    transport : asyncio.Transport
        Everything but writing goes there at once.
    loop : asyncio.AbstractEventLoop
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._put_off: bytes | None = None

    def write(self, data: bytes) -> None:
        """Write, with what was put off before it."""
        if self._put_off is None:
            self._put_off = data
            self._loop.call_soon(self._flush)
        else:
            self._put_off += data
            self._flush()

    def close(self) -> None:
        """Close after what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._put_off is not None:
            self._transport.write(self._put_off)
            self._put_off = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol over such a transport, with limits of what a request takes."""

    request_s = REQUEST_S
    _is_in_request = False
    _timer: asyncio.TimerHandle | None = None
    """Runs while a request is waited for that has not come as a whole."""
    _is_in_head = False
    _is_first = True
    """Whether nothing came before the head in what was read when it began."""
    _n_bytes = 0
    """Read since then."""
    _is_too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by asyncio."""
        delayed = OneWriteTransport(transport, asyncio.get_running_loop())
        super().connection_made(cast("asyncio.Transport", delayed))
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if not self._is_in_head:
            self._n_bytes = 0
            self._is_first = self.cycle is None or not self.cycle.more_body
        self._n_bytes += len(data)
        super().data_received(data)
        if self._is_in_request and self._timer is None:
            self._start_timer()
        if not self._is_in_head or self._is_too_large:
            return
        if not self._is_first:
            self._n_bytes = 0
            self._is_first = True
        elif self._n_bytes > HEAD_BYTES_MAX:
            self._is_too_large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._is_in_request = True
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser; it stops where this raises, and a bad request is answered."""
        self._is_in_head = False
        self._is_first = False
        if self._n_bytes > HEAD_BYTES_MAX:
            n_bytes = sum(len(name) + len(value) + 4 for name, value in self.headers)
            self._is_too_large = n_bytes + len(self.url) > HEAD_BYTES_MAX
            if self._is_too_large:
                raise ValueError("the head is too large")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._is_in_request = False
        self._stop_timer()
        super().on_message_complete()

    def send_400_response(self, text: str) -> None:
        """Answer what cannot be read, and close."""
        if self._is_too_large:
            came = f"expected at most {HEAD_BYTES_MAX} bytes of address and headers, came more"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, came)
        else:
            super().send_400_response(text)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer instead of the application, and close."""
        answer = HttpError(status, detail).response()
        lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode()), b"connection: close"]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.close()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.request_s, self._end_waiting)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_waiting(self) -> None:
        """Close a connection that has been waiting for too long; say so to who began a request."""
        self._timer = None
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering and not cycle.more_body:  # an earlier request: its answer goes first
            self._start_timer()
        elif self._is_in_request and not (is_answering and cycle.response_started):
            came = f"expected the whole request within {self.request_s:g} s, came a part of it"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, came)
        else:
            self.transport.close()
