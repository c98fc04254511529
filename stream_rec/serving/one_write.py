"""A transport that sends the head and the body of an answer with one call of the system.

uvicorn writes one after the other, and uvloop sends each at once: two calls, two packets, and a
reader that is woken twice. That costs as much as finding the list that is sent.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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
    """uvicorn's protocol over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by asyncio."""
        delayed = OneWriteTransport(transport, asyncio.get_running_loop())
        super().connection_made(cast("asyncio.Transport", delayed))
