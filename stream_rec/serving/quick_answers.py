"""The two commonest requests, answered without FastAPI: a user's list, a list for a session.

FastAPI's routing and validation take several times as long as the list itself. Whatever is not in
the plainest form (a query, an unusual body) goes to its routes, which say what is wrong with it;
they are also what the OpenAPI document shows. Both give the same answers.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_rec.model.lists import LIST_LENGTH_MAX
from stream_rec.serving.answers import JSON, cached_json, list_for, session_list
from stream_rec.serving.bodies import ID_CHARACTERS_MAX, ITEMS_MAX
from stream_rec.serving.service import Service

BEFORE_USER, AFTER_USER = "/users/", "/recommendations"
SESSIONS = "/sessions/recommendations"


class _Route(NamedTuple):
    """Stands in for FastAPI's in what is counted."""

    path: str


LIST_ROUTE = _Route(f"{BEFORE_USER}{{user}}{AFTER_USER}")
SESSION_ROUTE = _Route(SESSIONS)

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_CHARACTERS_MAX)]
_Ids = Annotated[list[_Id], msgspec.Meta(max_length=ITEMS_MAX)]


class _Session(msgspec.Struct, forbid_unknown_fields=True):
    """`bodies.SessionBody`, read faster."""

    items: _Ids
    n: Annotated[int, msgspec.Meta(ge=1, le=LIST_LENGTH_MAX)] = 10
    exclude: _Ids = msgspec.field(default_factory=list)


_DECODE_SESSION = msgspec.json.Decoder(_Session).decode


class QuickAnswers:
    """ASGI middleware behind the gate, which hands bodies on in one piece.

    Parameters
    ----------
    app : ASGIApp
        Answers everything else.
    service : Service
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._list_length = service.settings.model.list_length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "http" and not scope["query_string"]:
            path: str = scope["path"]
            if scope["method"] == "GET" and path.startswith(BEFORE_USER):
                user = path[len(BEFORE_USER) : -len(AFTER_USER)]
                if user and path == f"{BEFORE_USER}{user}{AFTER_USER}":
                    await self._answer_list(user, scope, receive, send)
                    return
            elif scope["method"] == "POST" and path == SESSIONS:
                await self._answer_session(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer_list(self, user: str, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = LIST_ROUTE
        body = list_for(self._service, user, self._list_length, frozenset(), None)
        await cached_json(Request(scope), body)(scope, receive, send)

    async def _answer_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        try:
            if Request(scope).headers.get("content-type") != JSON:
                raise msgspec.DecodeError
            given = _DECODE_SESSION(message.get("body", b""))
        except (msgspec.DecodeError, UnicodeDecodeError):
            await self._app(scope, _again(message, receive), send)
            return
        scope["route"] = SESSION_ROUTE
        answer = session_list(self._service, given.items, given.n, given.exclude)
        await answer(scope, receive, send)


def _again(first: Message, receive: Receive) -> Receive:
    """Return what receives a message again, and then what follows it."""
    messages = [first]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
