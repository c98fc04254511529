"""Answers leave in one piece, and nothing is lost or changes places on the way."""

from __future__ import annotations

import asyncio
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.serving.one_write import OneWriteTransport

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
