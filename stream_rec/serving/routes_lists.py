"""Lists: of users, for sessions that are not stored, and of candidates that are given."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from stream_rec.model.lists import LIST_LENGTH_MAX
from stream_rec.serving.answers import cached_json, encode, json, list_for, page_of, session_list
from stream_rec.serving.bodies import (
    RankBody,
    Ranked,
    SessionBody,
    SessionList,
    UserList,
    UserPage,
)
from stream_rec.serving.lists import Source, Stream
from stream_rec.serving.problems import HttpError, documented
from stream_rec.serving.sent_events import SentEvents
from stream_rec.serving.service import Service

READ_PROBLEMS = documented(400, 401, 403, 422, 429)
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As the client has it already."}}
PLACE = re.compile(r"(\d{1,9}):(\d{1,18})")
KEEP_ALIVE_S = 15.0

Length = Annotated[int, Query(ge=1, le=LIST_LENGTH_MAX, description="Items wanted.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Items to leave out before them.")]


def list_routes(service: Service) -> APIRouter:
    """Return the routes that answer with lists."""
    router = APIRouter(tags=["lists"])
    _add_user_routes(router, service)
    _add_stream(router, service)
    _add_posted(router, service)
    return router


def _add_user_routes(router: APIRouter, service: Service) -> None:
    wait_s = service.settings.serve.wait_ms_max / 1000
    list_length = service.settings.model.list_length

    @router.get(
        "/users/{user:id}/recommendations",
        response_model=UserList,
        responses=READ_PROBLEMS | UNCHANGED,
    )
    async def recommendations(
        request: Request,
        user: str,
        n: Length = list_length,
        exclude: Annotated[str, Query(description="Item ids, with commas between them.")] = "",
        wait_for: Annotated[
            str,
            Query(
                description="partition:offset of an event that the list should reflect.",
                pattern=r"^(\d{1,9}:\d{1,18})?$",
            ),
        ] = "",
    ) -> Response:
        """Return the list of any user; without one of their own, what is trending."""
        reflects = None
        place = PLACE.fullmatch(wait_for)
        if place is not None:
            source = Source(int(place[1]), int(place[2]))
            reflects = await service.lists.wait_for(user, source, wait_s)
        excluded = frozenset(filter(None, exclude.split(",")))
        return cached_json(request, list_for(service, user, n, excluded, reflects))


def _add_stream(router: APIRouter, service: Service) -> None:
    @router.get(
        "/users/{user:id}/stream",
        response_class=StreamingResponse,
        responses=READ_PROBLEMS
        | documented(503)
        | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream(user: str) -> SentEvents:
        """Send the list, and each refreshed one, as server-sent events."""
        return SentEvents(service, _sent_events(service, user))

    @router.get(
        "/users/{user:id}",
        response_model=UserPage,
        responses=READ_PROBLEMS | documented(404) | UNCHANGED,
    )
    async def user(request: Request, user: str, n: Length = 30, offset: Offset = 0) -> Response:
        """Return what is known of a user, as of the worker's last commit."""
        row = service.profile_row(user)
        if row is None:
            raise HttpError(404, "nothing is known of this user yet")
        summary = service.catalogue.inquiry.summary(user, row)
        history = [{"item": taken.item, "ts": taken.time_s} for taken in summary.history]
        stored = service.lists.read(user)
        page = page_of(request, history, n, offset)
        page["history"] = page.pop("items")
        known = {"n_distinct": summary.n_distinct, "last_ts": summary.last_s}
        source = None if stored is None else stored.source
        return cached_json(request, encode({"user": user, **page, **known, "list": source}))


async def _sent_events(service: Service, user: str) -> AsyncGenerator[bytes]:
    stream: Stream = service.lists.open_stream(user)
    try:
        message = service.lists.message(user)
        yield b": here follow the lists\n\n" if message is None else _sent_event(message)
        while (message := await service.next_of(stream, KEEP_ALIVE_S)) is not None:
            yield _sent_event(message) if message else b": still here\n\n"
    finally:
        service.lists.close_stream(user, stream)


def _sent_event(message: bytes) -> bytes:
    return b"event: list\ndata: " + message.replace(b"\n", b" ") + b"\n\n"


def _add_posted(router: APIRouter, service: Service) -> None:
    catalogue = service.catalogue

    @router.post(
        "/sessions/recommendations",
        response_model=SessionList,
        responses=READ_PROBLEMS | documented(413),
    )
    async def session(body: SessionBody) -> Response:
        """Return a list for somebody of whom only recent items are known; nothing is stored."""
        return session_list(service, body.items, body.n, body.exclude)

    @router.post("/rank", response_model=Ranked, responses=READ_PROBLEMS | documented(413))
    async def rank(body: RankBody) -> Response:
        """Order candidates for a user, or for a history; with scores and reasons."""
        given = list(dict.fromkeys(body.candidates))
        limit = catalogue.inquiry.given_max
        if len(given) > limit:
            raise HttpError(
                422, f"expected at most {limit} different candidates, came {len(given)}"
            )
        row = service.profile_row(body.user) if body.user is not None else None
        if row is None or body.user is None:
            listed = catalogue.inquiry.order_for_history(body.items, given, catalogue.now_s)
        else:
            listed = catalogue.inquiry.order_for_profile(body.user, row, given, catalogue.now_s)
        entries = catalogue.entries(listed)
        unknown = set(given) - {entry["item"] for entry in entries}
        in_order = [item for item in given if item in unknown]
        return json({"items": entries, "unknown": in_order, "stale": service.is_stale})
