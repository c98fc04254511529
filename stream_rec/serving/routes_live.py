"""What the live page asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from stream_rec.serving.answers import cached_json, encode, item_ids, json
from stream_rec.serving.problems import HttpError
from stream_rec.serving.service import Service
from stream_rec.serving.titles import Titles

ITEMS_MAX = 100
FOUND_MAX = 24


def live_routes(service: Service) -> APIRouter:
    """Return the routes of the live page; they are no part of the API."""
    router = APIRouter(include_in_schema=False)
    titles = Titles(service.settings.serve.titles_file)

    def described(item: str) -> dict[str, Any]:
        title = titles.get(item)
        taken = service.catalogue.taken(item)
        if title is None:
            return {"item": item, "title": item, "year": "", "genres": "", "taken": taken}
        return {
            "item": item,
            "title": title.name,
            "year": title.year,
            "genres": title.genres,
            "taken": taken,
        }

    @router.get("/live/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(
            _points(service),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @router.get("/live/items")
    async def items(
        request: Request, ids: Annotated[str, Query(max_length=30_000)] = ""
    ) -> Response:
        wanted = [item for item in ids.split("\t") if item][:ITEMS_MAX]
        return cached_json(request, encode({item: described(item) for item in wanted}))

    @router.get("/live/search")
    async def search(words: Annotated[str, Query(alias="q", max_length=200)] = "") -> Response:
        found = titles.find(words, FOUND_MAX) if words.strip() else []
        if not found and service.catalogue.taken(words.strip()):
            found = [words.strip()]
        if not words.strip():
            found = service.catalogue.popular_without(frozenset(), FOUND_MAX)
        return json([described(item) for item in found])

    @router.get("/live/explanation/{user:id}")
    async def explanation(user: str) -> Response:
        row = service.profile_row(user)
        stored = service.lists.read(user)
        if row is None or stored is None:
            raise HttpError(404, "nothing is known of this user yet")
        return json(service.catalogue.explained(user, row, item_ids(stored)))

    return router


async def _points(service: Service) -> AsyncIterator[bytes]:
    about = {
        "app_id": service.settings.app_id,
        "types": sorted(service.settings.events.types),
        "items": service.catalogue.n_items,
    }
    yield b"event: about\ndata: " + encode(about) + b"\n\n"
    yield b"event: history\ndata: " + encode(list(service.observer.history)) + b"\n\n"
    while not service.is_stopping:
        await service.ticker.wait()
        yield b"event: point\ndata: " + encode(service.observer.history[-1]) + b"\n\n"
