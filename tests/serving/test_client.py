"""Both clients say the same, typed, and raise what the service refuses."""

from __future__ import annotations

import httpx
import pytest

from stream_rec.client import AsyncClient, Client, ServiceError
from stream_rec.serving.app import create_app
from stream_rec.serving.keys import Keys
from tests.serving.conftest import Served


async def test_the_client_reads_every_answer(served: Served) -> None:
    transport = httpx.ASGITransport(create_app(served.service, Keys([])))
    async with AsyncClient("http://localhost", transport=transport) as client:
        place = await client.send_event({"user": "a", "item": "i1", "type": "click"})
        assert (place.topic, place.offset) == ("events", 0)
        listed = await client.recommendations("u3", n=5, exclude=["i1"])
        assert (listed.kind, len(listed.items)) == ("personal", 5)
        assert listed.items[0].reasons[0].source
        assert (await client.similar("i5")).total > 0
        assert (await client.following("i5")).total > 0
        week = await client.trending("7d", n=4)
        assert (len(week.items), week.half_life_s, week.since_s) == (4, 604_800.0, None)
        assert len((await client.for_session(["i3"], n=3)).items) == 3
        assert (await client.rank(["zz", "i5"], user="u3")).unknown == ["zz"]
        assert (await client.forget("u3")).offset == 1
        with pytest.raises(ServiceError, match="422") as refused:
            await client.send_events([{"user": "a"}])
        assert refused.value.errors[0]["code"] == "missing_field"


def test_both_clients_have_the_same_methods() -> None:
    names = {name for name in vars(Client) if not name.startswith("_")}
    assert names == {name for name in vars(AsyncClient) if not name.startswith("_")}


def test_the_key_and_the_ids_are_sent_as_they_must_be() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(404, json={"detail": "nobody"})

    client = Client("http://shop", key="sr_x", transport=httpx.MockTransport(answer))
    with client, pytest.raises(ServiceError, match="nobody"):
        client.similar("a/b c")
    assert asked[0].url.raw_path == b"/items/a%2Fb%20c/similar?n=10&offset=0"
    assert asked[0].headers["authorization"] == "Bearer sr_x"


@pytest.mark.parametrize("body", [b"[1]", b'"no"', b"null", b"<html>", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("after", ["Wed, 21 Oct 2026 07:28:00 GMT", "soon", "-1"])
def test_whatever_a_problem_looks_like_it_is_raised_as_one(body: bytes, after: str) -> None:
    answer = httpx.Response(503, content=body, headers={"retry-after": after})
    error = ServiceError(answer)
    assert (error.status, error.detail, error.errors) == (503, "Service Unavailable", [])
    assert error.retry_after_s is None


def test_seconds_to_wait_are_told() -> None:
    answer = httpx.Response(429, json={"errors": "none"}, headers={"retry-after": "7"})
    error = ServiceError(answer)
    assert (error.retry_after_s, error.errors) == (7.0, [])


async def test_ids_that_an_address_cannot_carry_are_refused() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request)

    transport = httpx.MockTransport(answer)
    with Client("http://shop", transport=transport) as client:
        for text in (".", ".."):
            for ask in (client.recommendations, client.similar, client.following, client.forget):
                with pytest.raises(ValueError, match=r"expected an id .* came '\.+'"):
                    ask(text)
        with pytest.raises(ValueError, match=r"without commas, .* 'a,b'"):
            client.recommendations("ann", exclude=["x", "a,b"])
    async with AsyncClient("http://shop", transport=transport) as asking:
        with pytest.raises(ValueError, match="expected an id"):
            await asking.forget("..")
