"""Items: what is like them, what follows them, what is trending. And the state of the service."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from stream_rec.model.inquiry import Relation
from stream_rec.serving.answers import cached_json, encode, json, page_of
from stream_rec.serving.bodies import Health, ItemPage, RelatedPage, TrendingPage
from stream_rec.serving.figures import Figures
from stream_rec.serving.problems import HttpError, documented
from stream_rec.serving.routes_lists import READ_PROBLEMS, UNCHANGED, Length, Offset
from stream_rec.serving.service import Service


def item_routes(service: Service) -> APIRouter:
    """Return the routes about items."""
    router = APIRouter(tags=["items"])
    catalogue = service.catalogue

    def related(request: Request, item: str, relation: Relation, n: int, offset: int) -> Response:
        entries = catalogue.related(item, relation)
        if entries is None:
            raise HttpError(404, "nobody has had this item yet")
        page = page_of(request, entries, n, offset)
        return cached_json(request, encode({"item": item, "relation": relation, **page}))

    @router.get(
        "/items/{item:id}/similar",
        response_model=RelatedPage,
        responses=READ_PROBLEMS | documented(404) | UNCHANGED,
    )
    async def similar(request: Request, item: str, n: Length = 10, offset: Offset = 0) -> Response:
        """Return what is taken together with an item; the score is the cosine."""
        return related(request, item, "similar", n, offset)

    @router.get(
        "/items/{item:id}/next",
        response_model=RelatedPage,
        responses=READ_PROBLEMS | documented(404) | UNCHANGED,
    )
    async def following(
        request: Request, item: str, n: Length = 10, offset: Offset = 0
    ) -> Response:
        """Return what follows an item; the score is how often, by 1/distance; in a session most."""
        return related(request, item, "next", n, offset)

    @router.get(
        "/items/{item:id}",
        response_model=ItemPage,
        responses=READ_PROBLEMS | documented(404) | UNCHANGED,
    )
    async def item(request: Request, item: str) -> Response:
        """Return how popular an item is."""
        known = catalogue.popularity_of(item)
        if known is None:
            raise HttpError(404, "nobody has had this item yet")
        return cached_json(request, encode({"item": item, **known}))

    @router.get("/trending", response_model=TrendingPage, responses=READ_PROBLEMS | UNCHANGED)
    async def trending(
        request: Request,
        window: Annotated[Literal["15m", "2h", "24h", "7d"], Query()] = "24h",
        n: Length = 10,
        offset: Offset = 0,
    ) -> Response:
        """Return what is popular now: by decayed counts, for 15m by what was taken since then."""
        half_life_s, since_s, entries = catalogue.trending(window)
        counted = {"window": window, "half_life_s": half_life_s, "since_s": since_s}
        return cached_json(request, encode(counted | page_of(request, entries, n, offset)))

    return router


def state_routes(service: Service, figures: Figures) -> APIRouter:
    """Return the routes about the service itself."""
    router = APIRouter(tags=["service"])

    def health() -> dict[str, object]:
        return {
            "ready": service.is_ready,
            "lag": service.lag,
            "kafka_silence_s": round(service.silence_s, 3),
            "items": service.catalogue.n_items,
        }

    @router.get("/healthz", response_model=Health, responses=documented(400, 429))
    async def healthz() -> Response:
        """Say that the process runs."""
        return json(health())

    @router.get(
        "/readyz",
        response_model=Health,
        responses=documented(400, 429) | {503: {"model": Health, "description": "Not yet."}},
    )
    async def readyz() -> Response:
        """Say whether it is caught up: 503 until then."""
        return json(health(), 200 if service.is_ready else 503)

    @router.get(
        "/metrics",
        response_class=Response,
        responses=documented(400, 401, 403, 429)
        | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Return Prometheus metrics."""
        return Response(figures.render(service), media_type="text/plain; version=0.0.4")

    return router
