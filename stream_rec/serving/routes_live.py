"""What the live page asks for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from stream_rec.model.inquiry import Relation
from stream_rec.model.together import had_both
from stream_rec.serving.answers import cached_json, encode, item_ids, json
from stream_rec.serving.sent_events import SentEvents
from stream_rec.serving.service import Service
from stream_rec.serving.titles import Titles

ITEMS_MAX = 100
FOUND_MAX = 24
USERS_SHOWN = 6
RELATED_SHOWN = 10
RELATIONS: tuple[Relation, ...] = ("similar", "next")


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

    @router.get("/live/stream", response_class=SentEvents)
    async def stream() -> SentEvents:
        return SentEvents(service, _points(service))

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

    @router.get("/live/pairs")
    async def pairs(ids: Annotated[str, Query(max_length=30_000)] = "") -> Response:
        wanted = ids.split("\t")[: 2 * ITEMS_MAX]
        engine = service.catalogue.engine
        both = zip(wanted[::2], wanted[1::2], strict=False)
        return json([had_both(engine, item, other) for item, other in both])

    _add_lookups(router, service, described)
    return router


def _add_lookups(
    router: APIRouter, service: Service, described: Callable[[str], dict[str, Any]]
) -> None:
    """Add what the part Look into asks for."""

    @router.get("/live/users")
    async def users() -> Response:
        return json(service.observer.latest_users(USERS_SHOWN))

    @router.get("/live/user/{user:id}")
    async def user(user: str) -> Response:
        row = service.profile_row(user)
        if row is None:
            return json(None)
        summary = service.catalogue.inquiry.summary(user, row)
        stored = service.lists.read(user)
        listed = [] if stored is None else item_ids(stored)
        known = {
            "n_distinct": summary.n_distinct,
            "history": [{"item": each.item, "ts": each.time_s} for each in summary.history],
            "explained": service.catalogue.explained(user, row, listed),
        }
        return json(known)

    @router.get("/live/item/{item:id}")
    async def item(item: str) -> Response:
        known = service.catalogue.popularity_of(item)
        if known is None:
            return json(None)
        related = {
            relation: (service.catalogue.related(item, relation) or [])[:RELATED_SHOWN]
            for relation in RELATIONS
        }
        return json({**described(item), **known, **related})


async def _points(service: Service) -> AsyncGenerator[bytes]:
    about = {
        "app_id": service.settings.app_id,
        "types": sorted(service.settings.events.types),
        "log_s": service.catalogue.now_s,
    }
    yield b"event: about\ndata: " + encode(about) + b"\n\n"
    yield b"event: history\ndata: " + encode(list(service.observer.history)) + b"\n\n"
    while not service.is_stopping:
        await service.ticker.wait()
        yield b"event: point\ndata: " + encode(service.observer.history[-1]) + b"\n\n"
