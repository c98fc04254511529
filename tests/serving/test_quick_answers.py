"""Answers before FastAPI are those of its routes; how long they wait; which pages may read them."""

from __future__ import annotations

import json

import pytest

from stream_rec.config import ServeSettings, Settings
from stream_rec.serving.lists import Lists
from tests.serving.conftest import Served, serving
from tests.serving.test_http import get, post

SESSIONS = "/sessions/recommendations"


@pytest.mark.parametrize("user", ["u3", "nobody", "a%2Fb%0A", "%20"])
async def test_quick_lists_are_those_of_the_route(served: Served, user: str) -> None:
    quick = await served.client.get(f"/users/{user}/recommendations")
    routed = await served.client.get(f"/users/{user}/recommendations?exclude=")
    assert quick.content == routed.content
    assert quick.headers == routed.headers


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
async def test_quick_sessions_are_those_of_the_route(served: Served, kind: str) -> None:
    body = b'{"items": ["i3", "i9"], "exclude": ["i7"], "n": 4}'
    headers = {"content-type": kind}
    routed = await served.client.post(f"{SESSIONS}?routed=1", content=body, headers=headers)
    plain = await post(served, SESSIONS, json.loads(body))
    assert routed.json() == plain
    for bad in (
        b"{",
        b"[]",
        b'{"items": [""]}',
        b'{"items": [], "n": 101}',
        b'{"items": 1, "x": 2}',
    ):
        refused = await served.client.post(SESSIONS, content=bad, headers=headers)
        assert refused.status_code == 422
        assert refused.json()["errors"]


async def test_an_answer_is_waited_for_100_ms_unless_set_otherwise(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_s: list[float] = []

    async def wait_for(lists: object, user: str, source: object, timeout_s: float) -> bool:
        waited_s.append(timeout_s)
        return False

    monkeypatch.setattr(Lists, "wait_for", wait_for)
    serve = settings.serve.model_copy(update={"wait_ms_max": ServeSettings().wait_ms_max})
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        answer = await get(served, "/users/u3/recommendations?wait_for=0:999999")
    assert (answer["reflects"], waited_s) == (False, [0.1])


async def test_pages_of_the_origins_named_may_read_answers(settings: Settings) -> None:
    shop = "https://shop.example"
    serve = settings.serve.model_copy(update={"cors_origins": (shop,)})
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        asked = {"access-control-request-method": "POST", "origin": shop}
        preflight = await served.client.options("/events", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == shop
        answer = await served.client.get("/trending", headers={"origin": shop})
        assert answer.headers["access-control-allow-origin"] == shop
        assert "etag" in answer.headers["access-control-expose-headers"]
        for headers in ({"origin": "https://evil.example"}, asked | {"origin": "null"}):
            other = await served.client.get("/trending", headers=headers)
            assert "access-control-allow-origin" not in other.headers


async def test_without_origins_no_page_may_read_answers(served: Served) -> None:
    answer = await served.client.get("/trending", headers={"origin": "https://shop.example"})
    assert "access-control-allow-origin" not in answer.headers
