"""Client of the HTTP service, for threads and for asyncio; needs httpx (``stream-rec[client]``).

    with Client("http://localhost:8000") as client:
        place = client.send_event({"user": "ann", "item": "alien", "type": "click"})
        for entry in client.recommendations("ann", wait_for=place).items:
            print(entry.item, entry.score)

`AsyncClient` has the same methods as coroutines. Problem details are raised as `ServiceError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

TIMEOUT_S = 10.0
Window = Literal["15m", "2h", "24h", "7d"]
Event = Mapping[str, Any]
Answer = TypeVar("Answer")


class ServiceError(Exception):
    """The service answered with a problem.

    Attributes
    ----------
    status : int
    detail : str
    errors : list of dict
        What is wrong with which part of the request.
    retry_after_s : float or None
        None, too, where the service names a date.
    """

    def __init__(self, answer: httpx.Response) -> None:
        try:
            problem = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = {}
        errors = problem.get("errors")
        self.status = answer.status_code
        self.detail = str(problem.get("detail", answer.reason_phrase))
        self.errors: list[dict[str, Any]] = errors if isinstance(errors, list) else []
        after = answer.headers.get("retry-after", "")
        self.retry_after_s = float(after) if after.isdecimal() else None
        super().__init__(f"{self.status}: {self.detail}")


class Place(msgspec.Struct, frozen=True):
    """Where an event is in Kafka."""

    topic: str
    partition: int
    offset: int


class Reason(msgspec.Struct, frozen=True):
    """What speaks for an item."""

    source: str
    because: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """An item of a list."""

    item: str
    score: float
    reasons: tuple[Reason, ...] = ()


class UserList(msgspec.Struct, frozen=True):
    """A user's list; see the service's OpenAPI document for its fields."""

    user: str
    items: list[Entry]
    kind: Literal["personal", "trending"]
    stale: bool
    reflects: bool | None = None
    generated_at: int | None = None


class Page(msgspec.Struct, frozen=True):
    """A page of items; trending ones are counted by a half-life, or since an event time."""

    items: list[Entry]
    total: int
    half_life_s: float | None = None
    since_s: float | None = None


class ItemList(msgspec.Struct, frozen=True):
    """A list that belongs to nobody."""

    items: list[Entry]
    stale: bool
    unknown: list[str] = []


class _Accepted(msgspec.Struct):
    events: list[Place]


class _Request(NamedTuple):
    method: str
    path: str
    parameters: Mapping[str, Any] | None = None
    body: Any = None


def _in_path(text: str) -> str:
    if text in (".", ".."):
        raise ValueError(f"expected an id that an address can hold, not . or ..; came {text!r}")
    return quote(text, safe="")


def _recommendations(
    user: str, n: int | None, exclude: Iterable[str], wait_for: Place | None
) -> _Request:
    excluded = list(exclude)
    if any("," in item for item in excluded):
        raise ValueError(f"exclude: expected ids without commas, which part them; came {excluded}")
    parameters: dict[str, Any] = {"exclude": ",".join(excluded)}
    if n is not None:
        parameters["n"] = n
    if wait_for is not None:
        parameters["wait_for"] = f"{wait_for.partition}:{wait_for.offset}"
    return _Request("GET", f"/users/{_in_path(user)}/recommendations", parameters)


def _related(item: str, relation: str, n: int, offset: int) -> _Request:
    return _Request("GET", f"/items/{_in_path(item)}/{relation}", {"n": n, "offset": offset})


def _rank(candidates: Sequence[str], user: str | None, items: Sequence[str]) -> _Request:
    body = {"candidates": list(candidates), "user": user, "items": list(items)}
    return _Request("POST", "/rank", body=body)


def _session(items: Sequence[str], n: int, exclude: Sequence[str]) -> _Request:
    body = {"items": list(items), "n": n, "exclude": list(exclude)}
    return _Request("POST", "/sessions/recommendations", body=body)


def _read(answer: httpx.Response, kind: type[Answer]) -> Answer:
    if not answer.is_success:
        raise ServiceError(answer)
    return msgspec.json.decode(answer.content, type=kind)


def _options(url: str, key: str | None, options: dict[str, Any]) -> dict[str, Any]:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return {"base_url": url, "headers": headers, "timeout": TIMEOUT_S} | options


def _content(request: _Request) -> dict[str, Any]:
    if request.body is None:
        return {"params": request.parameters}
    headers = {"content-type": "application/json"}
    return {"content": msgspec.json.encode(request.body), "headers": headers}


class Client:
    """Client for threads.

    Parameters
    ----------
    url : str
    key : str, optional
        API key.
    **options
        Of httpx.Client.
    """

    def __init__(self, url: str, key: str | None = None, **options: Any) -> None:
        self._http = httpx.Client(**_options(url, key, options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send_event(self, event: Event) -> Place:
        """Write an event; return where it is once Kafka has it."""
        return self.send_events([event])[0]

    def send_events(self, events: Sequence[Event]) -> list[Place]:
        """Write events; return where they are, in the same order."""
        return self._ask(_Request("POST", "/events", body=list(events)), _Accepted).events

    def recommendations(
        self,
        user: str,
        n: int | None = None,
        exclude: Iterable[str] = (),
        wait_for: Place | None = None,
    ) -> UserList:
        """Return a user's list; with `wait_for`, one that reflects that event if it can be had."""
        return self._ask(_recommendations(user, n, exclude, wait_for), UserList)

    def similar(self, item: str, n: int = 10, offset: int = 0) -> Page:
        """Return what is taken together with an item."""
        return self._ask(_related(item, "similar", n, offset), Page)

    def following(self, item: str, n: int = 10, offset: int = 0) -> Page:
        """Return what follows an item."""
        return self._ask(_related(item, "next", n, offset), Page)

    def trending(self, window: Window = "24h", n: int = 10, offset: int = 0) -> Page:
        """Return what is popular."""
        parameters = {"window": window, "n": n, "offset": offset}
        return self._ask(_Request("GET", "/trending", parameters), Page)

    def for_session(
        self, items: Sequence[str], n: int = 10, exclude: Sequence[str] = ()
    ) -> ItemList:
        """Return a list for somebody with these recent items, the oldest first."""
        return self._ask(_session(items, n, exclude), ItemList)

    def rank(
        self, candidates: Sequence[str], user: str | None = None, items: Sequence[str] = ()
    ) -> ItemList:
        """Order candidates for a user, or for somebody with these items."""
        return self._ask(_rank(candidates, user, items), ItemList)

    def forget(self, user: str) -> Place:
        """Ask for a user to be forgotten."""
        return self._ask(_Request("DELETE", f"/users/{_in_path(user)}"), Place)

    def _ask(self, request: _Request, kind: type[Answer]) -> Answer:
        return _read(self._http.request(request.method, request.path, **_content(request)), kind)


class AsyncClient:
    """Client for asyncio: as `Client`, with coroutines."""

    def __init__(self, url: str, key: str | None = None, **options: Any) -> None:
        self._http = httpx.AsyncClient(**_options(url, key, options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send_event(self, event: Event) -> Place:
        """Write an event; return where it is once Kafka has it."""
        return (await self.send_events([event]))[0]

    async def send_events(self, events: Sequence[Event]) -> list[Place]:
        """Write events; return where they are, in the same order."""
        return (await self._ask(_Request("POST", "/events", body=list(events)), _Accepted)).events

    async def recommendations(
        self,
        user: str,
        n: int | None = None,
        exclude: Iterable[str] = (),
        wait_for: Place | None = None,
    ) -> UserList:
        """Return a user's list; with `wait_for`, one that reflects that event if it can be had."""
        return await self._ask(_recommendations(user, n, exclude, wait_for), UserList)

    async def similar(self, item: str, n: int = 10, offset: int = 0) -> Page:
        """Return what is taken together with an item."""
        return await self._ask(_related(item, "similar", n, offset), Page)

    async def following(self, item: str, n: int = 10, offset: int = 0) -> Page:
        """Return what follows an item."""
        return await self._ask(_related(item, "next", n, offset), Page)

    async def trending(self, window: Window = "24h", n: int = 10, offset: int = 0) -> Page:
        """Return what is popular."""
        parameters = {"window": window, "n": n, "offset": offset}
        return await self._ask(_Request("GET", "/trending", parameters), Page)

    async def for_session(
        self, items: Sequence[str], n: int = 10, exclude: Sequence[str] = ()
    ) -> ItemList:
        """Return a list for somebody with these recent items, the oldest first."""
        return await self._ask(_session(items, n, exclude), ItemList)

    async def rank(
        self, candidates: Sequence[str], user: str | None = None, items: Sequence[str] = ()
    ) -> ItemList:
        """Order candidates for a user, or for somebody with these items."""
        return await self._ask(_rank(candidates, user, items), ItemList)

    async def forget(self, user: str) -> Place:
        """Ask for a user to be forgotten."""
        return await self._ask(_Request("DELETE", f"/users/{_in_path(user)}"), Place)

    async def _ask(self, request: _Request, kind: type[Answer]) -> Answer:
        answer = await self._http.request(request.method, request.path, **_content(request))
        return _read(answer, kind)
