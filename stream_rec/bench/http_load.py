"""An open loop of HTTP requests, in a process of its own.

    request i is due at start + i / rate, whatever became of the requests before it

As in stream_rec/bench/schedule.py, latency counts from when a request was due (no coordinated
omission): a server that stalls is charged with every request that should have been answered
meanwhile, and so is this sender's own lateness.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from multiprocessing.connection import Connection as Pipe
from typing import NamedTuple

import msgspec
import numpy as np
import uvloop
from numpy.typing import NDArray

from stream_rec.bench.http_connections import Connections, get, open_connections, post

N_CONNECTIONS = 64
ACT_TIMEOUT_S = 10.0

Act = Callable[[Connections, bytes], Awaitable[bool]]
"""Does what is due; returns whether it went as it should."""


class Target(NamedTuple):
    """A server: where it listens."""

    host: str
    port: int


class Took(NamedTuple):
    """What became of a schedule.

    Attributes
    ----------
    took_s : float64[n]
        From when each was due to its end.
    n_failed : int
        Refused, or without an answer; their time counts all the same.
    late_s_max : float
        How late the sender was at most.
    """

    took_s: NDArray[np.float64]
    n_failed: int
    late_s_max: float


async def is_answered(connections: Connections, request: bytes) -> bool:
    """Ask; return whether the answer is a good one."""
    return (await connections.ask(request)).status == 200


async def is_readable(connections: Connections, event: bytes) -> bool:
    """Post an event and read its user's list until it reflects the event."""
    answer = await connections.ask(post("/events", event))
    if answer.status != 202:
        return False
    place = msgspec.json.decode(answer.body)["events"][0]
    user = msgspec.json.decode(event)["user"]
    wait_for = f"{place['partition']}:{place['offset']}"
    request = get(f"/users/{user}/recommendations?wait_for={wait_for}")
    while True:
        answer = await connections.ask(request)
        if msgspec.json.decode(answer.body).get("reflects"):
            return True


def run_http_load(target: Target, act: Act, load: Sequence[bytes], rate: float, pipe: Pipe) -> None:
    """Do what is due when it is due.

    Parameters
    ----------
    target : Target
    act : callable
        A function at the top of a module.
    load : sequence of bytes
        What is given to `act`, in order.
    rate : float
        Per second.
    pipe : Connection
        Says "ready", receives the start on the monotonic clock, and returns `Took`.
    """
    gc.freeze()
    gc.disable()
    uvloop.run(_run(target, act, load, rate, pipe))


async def _run(target: Target, act: Act, load: Sequence[bytes], rate: float, pipe: Pipe) -> None:
    connections = await open_connections(target.host, target.port, N_CONNECTIONS)
    pipe.send("ready")
    pipe.send(await keep_schedule(connections, act, load, rate, pipe.recv()))
    connections.close()


async def keep_schedule(
    connections: Connections, act: Act, load: Sequence[bytes], rate: float, start_s: float
) -> Took:
    """Do each thing when it is due, however many are under way; return when all have ended."""
    took_s = np.zeros(len(load))
    n_failed = 0
    late_s_max = 0.0

    async def do(number: int, due_s: float) -> None:
        nonlocal n_failed
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                went_well = await act(connections, load[number])
        except OSError:
            went_well = False
        took_s[number] = time.monotonic() - due_s
        n_failed += not went_well

    async with asyncio.TaskGroup() as under_way:
        for number in range(len(load)):
            due_s = start_s + number / rate
            left_s = due_s - time.monotonic()
            if left_s > 0:
                await asyncio.sleep(left_s)
            late_s_max = max(late_s_max, time.monotonic() - due_s)
            under_way.create_task(do(number, due_s))
    return Took(took_s, n_failed, late_s_max)
