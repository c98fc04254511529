"""Answers leave in one piece, and nothing is lost or changes places on the way."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from stream_rec.serving.one_write import HEAD_BYTES_MAX, OneWriteProtocol, OneWriteTransport

WAIT_S = 30.0
END_OF_TURN, CLOSE = "end of turn", "close"
STEPS = st.lists(st.one_of(st.binary(max_size=3), st.just(END_OF_TURN)), max_size=20)


class Wire:
    """What goes out, by call of the system; None where the connection is closed."""

    def __init__(self) -> None:
        self.calls: list[bytes | None] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.calls.append(None)


async def calls_of(steps: list[bytes | str]) -> list[bytes | None]:
    wire = Wire()
    transport = OneWriteTransport(cast("asyncio.Transport", wire), asyncio.get_running_loop())
    for step in steps:
        if isinstance(step, bytes):
            transport.write(step)
        elif step == CLOSE:
            transport.close()
        else:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    return wire.calls


async def test_head_and_body_are_one_call() -> None:
    assert await calls_of([b"head", b"body", b"head", b"", END_OF_TURN, b"head alone"]) == [
        b"headbody",
        b"head",
        b"head alone",
    ]


async def test_what_was_written_goes_out_before_the_end() -> None:
    assert await calls_of([b"head", CLOSE]) == [b"head", None]


@given(STEPS)
def test_everything_goes_out_in_order(steps: list[bytes | str]) -> None:
    """At most one write is put off at any time, and none beyond its turn."""
    calls = asyncio.run(calls_of(steps))
    written = [step for step in steps if isinstance(step, bytes)]
    assert b"".join(call or b"" for call in calls) == b"".join(written)
    assert len(written) / 2 <= len(calls) <= len(written)


async def answer_here(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"here"})


class Connection(Wire):
    """A connection of which the other end is nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return None in self.calls

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def opened(
    kind: type[OneWriteProtocol] = OneWriteProtocol, app: ASGIApp = answer_here
) -> tuple[OneWriteProtocol, Connection]:
    """Return the protocol of a new connection, and the connection."""
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    protocol, connection = kind(config, ServerState(), {}), Connection()
    protocol.connection_made(cast("asyncio.Transport", connection))
    return protocol, connection


def status_lines(connection: Connection) -> list[bytes | None]:
    """Return what each request was answered with, and None for the end."""
    return [call and call.split(b"\r\n")[0] for call in connection.calls]


async def answers_to(
    *parts: bytes,
    protocol: type[OneWriteProtocol] = OneWriteProtocol,
    until_closed: bool = False,
) -> list[bytes | None]:
    """Return the status lines that parts of requests are answered with, and None for the end."""
    open_protocol, connection = opened(protocol)
    for part in parts:
        if not connection.is_closing():
            open_protocol.data_received(part)
        for _ in range(9):
            await asyncio.sleep(0)
    if until_closed:
        async with asyncio.timeout(WAIT_S):
            await connection.closed.wait()
    open_protocol._unset_keepalive_if_required()
    open_protocol._stop_timer()
    return status_lines(connection)


def request(n_bytes: int, body: bytes = b"") -> bytes:
    """Return a request of which the head takes so many bytes."""
    start = b"POST / HTTP/1.1\r\ncontent-length: %d\r\nx: " % len(body)
    return start + b"x" * (n_bytes - len(start) - 4) + b"\r\n\r\n" + body


def in_parts(data: bytes, n_bytes: int) -> list[bytes]:
    return [data[at : at + n_bytes] for at in range(0, len(data), n_bytes)]


FITTING, LARGE = HEAD_BYTES_MAX, HEAD_BYTES_MAX + 100
OK, TOO_LARGE = b"HTTP/1.1 200 OK", b"HTTP/1.1 431 Request Header Fields Too Large"


@pytest.mark.parametrize("n_bytes", [1_000, 20_000, 1_000_000])
async def test_a_head_that_is_too_large_is_refused_however_it_comes(n_bytes: int) -> None:
    assert await answers_to(*in_parts(request(LARGE), n_bytes)) == [TOO_LARGE, None]
    assert await answers_to(request(100), *in_parts(request(LARGE), n_bytes)) == [
        OK,
        TOO_LARGE,
        None,
    ]


@pytest.mark.parametrize("n_bytes", [1_000, 20_000, 1_000_000])
async def test_neither_bodies_nor_other_requests_count_as_head(n_bytes: int) -> None:
    body = b"y" * (2 * HEAD_BYTES_MAX)
    one = request(FITTING, body)
    assert await answers_to(*in_parts(one, n_bytes)) == [OK]
    assert await answers_to(*in_parts(one * 3, n_bytes)) == [OK] * 3


async def test_a_head_without_end_is_refused_before_it_ends() -> None:
    start = request(LARGE)[:HEAD_BYTES_MAX]
    assert await answers_to(start) == []
    assert await answers_to(start, b"x") == [TOO_LARGE, None]


async def test_what_is_no_request_is_answered_as_ever() -> None:
    assert await answers_to(b"nonsense\r\n\r\n") == [b"HTTP/1.1 400 Bad Request", None]


TIMED_OUT = b"HTTP/1.1 408 Request Timeout"


class ImpatientProtocol(OneWriteProtocol):
    request_s = 0.01


@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        ([], [None]),
        ([b"GET / HT"], [TIMED_OUT, None]),
        ([request(100, b"body")[:-1]], [TIMED_OUT, None]),
        ([request(100), request(100)[:20]], [OK, TIMED_OUT, None]),
        ([request(100) + request(100)[:20]], [OK, TIMED_OUT, None]),
    ],
    ids=["nothing", "half a head", "half a body", "half of a second", "half, with the first"],
)
async def test_connection_that_keeps_a_request_waiting_is_closed(
    parts: list[bytes], answers: list[bytes | None]
) -> None:
    assert await answers_to(*parts, protocol=ImpatientProtocol, until_closed=True) == answers


async def test_whole_requests_and_who_waits_for_an_answer_have_time() -> None:
    answering = asyncio.Event()

    async def answer_late(scope: Scope, receive: Receive, send: Send) -> None:
        await answering.wait()
        await answer_here(scope, receive, send)

    protocol, connection = opened(ImpatientProtocol, answer_late)
    protocol.data_received(request(100, b"body"))
    assert protocol._timer is None
    protocol.data_received(request(100)[:20])
    first_timer = protocol._timer
    while protocol._timer is first_timer:  # it ends, and another begins: the answer goes first
        await asyncio.sleep(0)
    assert connection.calls == []
    answering.set()
    async with asyncio.timeout(WAIT_S):
        await connection.closed.wait()
    assert status_lines(connection) == [OK, TIMED_OUT, None]


async def test_no_timer_outlives_its_connection() -> None:
    protocol, _ = opened()
    protocol.data_received(b"GET / HT")
    protocol.connection_lost(None)
    assert protocol._timer is None
