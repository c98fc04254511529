"""The live page and what it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from stream_rec.serving.answers import cached_json, encode, json
from stream_rec.serving.explain import explain
from stream_rec.serving.observer import Observer
from stream_rec.serving.problems import HttpError
from stream_rec.serving.service import Service
from stream_rec.serving.titles import Titles

ITEMS_MAX = 100
FOUND_MAX = 24
POINT_S = 1.0
MEDIA_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
PAGE_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Ticker:
    """Adds a point to the observer's history every second, and tells everybody who looks."""

    def __init__(self, service: Service, observer: Observer) -> None:
        self._service = service
        self._observer = observer
        self._ticked = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def wait(self) -> None:
        """Wait for the next point."""
        await self._ticked.wait()

    async def _run(self) -> None:
        while self._service.failure is None:
            await asyncio.sleep(POINT_S)
            self._observer.note_second(self._service.events_lag)
            ticked, self._ticked = self._ticked, asyncio.Event()
            ticked.set()


def live_routes(service: Service, observer: Observer) -> APIRouter:
    """Return the routes of the live page; they are no part of the API."""
    router = APIRouter(include_in_schema=False)
    titles = Titles(service.settings.serve.titles_file)
    ticker = Ticker(service, observer)
    _add_files(router)

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
            _points(service, observer, ticker),
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

    @router.get("/live/explanation/{user:path}")
    async def explanation(user: str) -> Response:
        row = service.profile_row(user)
        if row is None:
            raise HttpError(404, "nothing is known of this user yet")
        return json(explain(service.catalogue, user, row))

    return router


def _add_files(router: APIRouter) -> None:
    folder = files("stream_rec.serving") / "page"
    contents = {name: (folder / name).read_bytes() for name in MEDIA_TYPES}

    def answer(name: str) -> Response:
        if name not in contents:
            raise HttpError(404, "no such file")
        return Response(contents[name], headers=PAGE_HEADERS, media_type=MEDIA_TYPES[name])

    @router.get("/")
    async def index() -> Response:
        return answer("index.html")

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return answer("icon.svg")

    @router.get("/page/{name}")
    async def file(name: str) -> Response:
        return answer(name)


async def _points(service: Service, observer: Observer, ticker: Ticker) -> AsyncIterator[bytes]:
    about = {
        "app_id": service.settings.app_id,
        "types": sorted(service.settings.events.types),
        "items": service.catalogue.n_items,
    }
    yield b"event: about\ndata: " + encode(about) + b"\n\n"
    yield b"event: history\ndata: " + encode(list(observer.history)) + b"\n\n"
    while not service.is_stopping:
        await ticker.wait()
        yield b"event: point\ndata: " + encode(observer.history[-1]) + b"\n\n"
