"""The link to the next page leads to the same thing, whatever its id."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stream_rec.serving.answers import page_of
from stream_rec.serving.id_paths import register_id_paths

IDS = ["i5", "50%41 &x", "a/b", "what?#", "a+b", "%2F", "é\n"]


async def similar(request: Request) -> JSONResponse:
    offset = int(request.query_params.get("offset", 0))
    page = page_of(request, list(range(5)), 2, offset)
    return JSONResponse({"asked": request.path_params["item"], **page})


@pytest.mark.parametrize("item", IDS)
async def test_the_next_page_is_of_the_same_item(item: str) -> None:
    register_id_paths()
    app = Starlette(routes=[Route("/items/{item:id}/similar", similar)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        path = f"/items/{quote(item, safe='')}/similar"
        first = (await client.get(f"{path}?window=24h&n=2")).json()
        second = (await client.get(first["next"])).json()
    assert (first["asked"], second["asked"]) == (item, item)
    assert (first["items"], second["items"]) == ([0, 1], [2, 3])
    assert "window=24h" in second["next"]
