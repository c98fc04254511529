"""Keep-alive connections to one HTTP server, for a load generator: little work for each request.

Requests are sent as they are given; answers are parsed by httptools.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, cast

import httptools


class Answer(NamedTuple):
    """Status and body."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._body = b""

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; its answer is to come."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close it."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed before its answer"))

    def on_message_begin(self) -> None:
        """Called by httptools."""
        self._body = b""

    def on_body(self, body: bytes) -> None:
        """Called by httptools."""
        self._body += body

    def on_message_complete(self) -> None:
        """Called by httptools."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), self._body))


class Connections:
    """Connections that are there from the start; a request waits, in its turn, for an idle one.

    Parameters
    ----------
    connections : sequence of Connection
    """

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._all = connections
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            self._idle.put_nowait(connection)

    async def ask(self, request: bytes) -> Answer:
        """Send a request on an idle connection; return its answer.

        Raises
        ------
        OSError
            The connection ends before the answer.
        """
        connection = await self._idle.get()
        answer = await connection.ask(request)
        self._idle.put_nowait(connection)
        return answer

    def close(self) -> None:
        """Close them."""
        for connection in self._all:
            connection.close()


async def open_connections(host: str, port: int, n_connections: int) -> Connections:
    """Connect so many times.

    Raises
    ------
    OSError
        The server does not take them.
    """
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, host, port) for _ in range(n_connections)]
    return Connections([connection for _, connection in made])


def get(path: str) -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """Return a POST request with a JSON body."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
