"""Who is refused is counted too, and probes come under any name."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from stream_rec.config import ServeSettings
from stream_rec.serving.figures import Figures
from stream_rec.serving.gate import Gate
from stream_rec.serving.keys import Keys, new_key


def behind_gate(keys: Keys, **settings: object) -> httpx.AsyncClient:
    """Return a client of an application that answers everything that is let through."""
    serve = ServeSettings.model_validate(settings)
    gate = Gate(PlainTextResponse("here"), serve, keys, Figures())
    transport = httpx.ASGITransport(gate)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


Headers = dict[str, str]
HOST = [(b"host", b"localhost")]


async def ask(
    client: httpx.AsyncClient, method: str, path: str, asked: Sequence[Headers]
) -> list[int]:
    """Return what each request is answered with."""
    return [(await client.request(method, path, headers=each)).status_code for each in asked]


async def test_requests_without_a_key_that_is_known_are_limited_by_address() -> None:
    entry, key = new_key("shop", ["read"])
    client = behind_gate(Keys([entry]), rate_limit_per_s=0.001, rate_burst=2)
    bad: list[Headers] = [{}, {"x-api-key": "sr_guess"}, {"x-api-key": "sr_other"}]
    assert await ask(client, "GET", "/trending", bad) == [401, 401, 429]
    good = [{"x-api-key": key}] * 3
    assert await ask(client, "GET", "/trending", good) == [200, 200, 429]


async def test_requests_beyond_the_scope_of_their_key_are_limited_by_key() -> None:
    entry, key = new_key("shop", ["read"])
    client = behind_gate(Keys([entry]), rate_limit_per_s=0.001, rate_burst=1)
    asked = [{"x-api-key": key}] * 2
    assert await ask(client, "DELETE", "/users/ann", asked) == [403, 429]


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/", 400)])
async def test_probes_come_under_any_name(path: str, status: int) -> None:
    client = behind_gate(Keys([]), allowed_hosts=("shop.example",))
    assert await ask(client, "GET", path, [{"host": "127.0.0.1:8000"}]) == [status]


async def test_half_a_body_goes_no_further() -> None:
    """A client that went away, or was too slow: what it began may look whole and is not."""
    came = iter(
        [
            {"type": "http.request", "body": b"[1]", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    handed_on, sent = [], []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        handed_on.append(await receive())

    async def receive() -> Message:
        return next(came)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/events", "headers": HOST, "client": None}
    await Gate(app, ServeSettings(), Keys([]), Figures())(scope, receive, send)
    assert not handed_on
    assert sent[0]["status"] == 400
