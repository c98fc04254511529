"""The open loop of HTTP requests: nothing that a server owes is left out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from stream_rec.bench.http_connections import Connections, get, open_connections, post
from stream_rec.bench.http_load import is_answered, is_readable, keep_schedule

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
RATE = 1_000.0
N_REQUESTS = 40


class FakeServer:
    """Answers each request with the next of `answers`, the last of them for ever, when it may."""

    def __init__(self) -> None:
        self.answers = [OK]
        self.asked: list[bytes] = []
        self.under_way: list[asyncio.Task[None]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.under_way.append(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
                self.asked.append(head + await reader.readexactly(int(length or 0)))
                await self.may_answer.wait()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                for byte in (answer[:20], answer[20:]):
                    writer.write(byte)
                    await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def connections(server: FakeServer) -> AsyncIterator[Connections]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    connections = await open_connections("127.0.0.1", port, n_connections=2)
    yield connections
    connections.close()
    listening.close()
    await asyncio.gather(*server.under_way)


async def test_a_stall_is_charged_to_every_request_that_was_due_meanwhile(
    server: FakeServer, connections: Connections
) -> None:
    server.may_answer.clear()
    start_s = time.monotonic() - N_REQUESTS / RATE  # all of them are due already
    loop = asyncio.create_task(
        keep_schedule(connections, is_answered, [get("/")] * N_REQUESTS, RATE, start_s)
    )
    while len(server.asked) < 2:
        await asyncio.sleep(0)
    stalled_until_s = time.monotonic()
    server.may_answer.set()
    took = await loop
    assert took.n_failed == 0
    assert len(server.asked) == N_REQUESTS
    for number, took_s in enumerate(took.took_s):
        assert took_s >= stalled_until_s - (start_s + number / RATE)
    assert took.late_s_max >= N_REQUESTS / RATE


async def test_refused_requests_are_counted(server: FakeServer, connections: Connections) -> None:
    server.answers = [OK, BAD, OK, BAD, OK]
    load = [get("/")] * 8
    took = await keep_schedule(connections, is_answered, load, RATE, time.monotonic())
    assert took.n_failed == 2


async def test_an_event_is_readable_when_the_list_reflects_it(
    server: FakeServer, connections: Connections
) -> None:
    server.answers = [
        answer(202, b'{"events":[{"topic":"events","partition":3,"offset":17}]}'),
        answer(200, b'{"reflects":false}'),
        answer(200, b'{"reflects":true}'),
    ]
    event = b'{"user":"ann","item":"alien","type":"click"}'
    assert await is_readable(connections, event)
    read = get("/users/ann/recommendations?wait_for=3:17")
    assert server.asked == [post("/events", event), read, read]


async def test_an_event_that_is_refused_is_not_readable(
    server: FakeServer, connections: Connections
) -> None:
    server.answers = [BAD]
    assert not await is_readable(connections, b"{}")


def answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)
