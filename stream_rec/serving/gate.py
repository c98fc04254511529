"""What every request passes first: host, key, scope, rate, size. And what is counted of each.

Plain ASGI: a request that is served from memory takes some 100 µs, of which this takes a few.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_rec.config import ServeSettings
from stream_rec.serving.figures import Figures
from stream_rec.serving.keys import Keys
from stream_rec.serving.problems import HttpError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json", "/favicon.ico"})
PROBES = frozenset({"/healthz", "/readyz"})
"""Asked by what watches over the process, under whatever name; they tell nothing of anybody."""
OPEN_FOLDER = "/page/"
NAMES_USERS = "/live/users"
BUCKETS_MAX = 10_000


class RateLimit:
    """Token buckets, one for each caller; the one that asked longest ago is forgotten first."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str, now_s: float) -> float:
        """Take a token; return 0, or how long until there is one."""
        if self._per_s == 0:
            return 0.0
        tokens, at_s = self._buckets.pop(caller, (float(self._burst), now_s))
        tokens = min(self._burst, tokens + (now_s - at_s) * self._per_s)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_s
        self._buckets[caller] = (tokens - (wait_s == 0.0), now_s)
        if len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)
        return wait_s


class Gate:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGIApp
    serve : ServeSettings
    keys : Keys
    figures : Figures
    """

    def __init__(self, app: ASGIApp, serve: ServeSettings, keys: Keys, figures: Figures) -> None:
        self._app = app
        self._serve = serve
        self._keys = keys
        self._figures = figures
        self._limit = RateLimit(serve.rate_limit_per_s, serve.rate_burst)
        hosts = serve.allowed_hosts or (() if len(keys) else LOOPBACK_NAMES)
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            headers = dict(scope["headers"])
            self._check(scope, headers)
            if scope["method"] in ("POST", "PUT", "PATCH"):
                receive = await self._read_body(headers, receive)
            await self._app(scope, receive, send_and_note)
        except HttpError as problem:
            await problem.response()(scope, receive, send_and_note)
        finally:
            route = scope.get("route")
            path = getattr(route, "path_format", getattr(route, "path", "none"))
            elapsed_s = time.perf_counter() - started_s
            self._figures.count_request(scope["method"], path, status, elapsed_s)

    def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        is_probe = scope["path"] in PROBES
        if self._hosts and name not in self._hosts and not is_probe:
            raise HttpError(400, f"expected a host of serve.allowed_hosts, came {name!r}")
        client = scope.get("client")
        address = client[0] if client else "unknown"
        needed = _needed_scope(scope["method"], scope["path"])
        if not len(self._keys) or needed is None:
            self._take_token(address)
            return
        key = _key_of(headers)
        caller = self._keys.find(key)
        self._take_token(address if caller is None else caller.name)
        if caller is None:
            came = "one that is not known" if key else "none"
            raise HttpError(
                401,
                f"expected a key in the header Authorization: Bearer …, came {came}",
                headers={"www-authenticate": "Bearer"},
            )
        if needed not in caller.scopes:
            raise HttpError(403, f"expected a key with the scope {needed}")

    def _take_token(self, caller: str) -> None:
        """Count a request, of an address or of a key, those that are refused too."""
        wait_s = self._limit.wait_s(caller, time.monotonic())
        if wait_s:
            raise HttpError(
                429,
                f"expected at most {self._serve.rate_limit_per_s:g} requests/s in the long run",
                headers={"retry-after": str(int(wait_s) + 1)},
            )

    async def _read_body(self, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        """Read the body as far as it may go; return what hands it on."""
        limit = self._serve.request_bytes_max
        too_large = HttpError(413, f"expected at most {limit} bytes")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit:
            raise too_large
        parts: list[bytes] = []
        n_bytes, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise HttpError(400, "expected the whole body, came the end of the connection")
            parts.append(message.get("body", b""))
            n_bytes += len(parts[-1])
            more = message.get("more_body", False)
            if n_bytes > limit:
                raise too_large
        body: Message | None = {
            "type": "http.request",
            "body": b"".join(parts),
            "more_body": False,
        }

        async def receive_again() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            message, body = body, None
            return message

        return receive_again


def _key_of(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"authorization", b"").decode("latin-1")
    key = given[7:].strip() if given[:7].lower() == "bearer " else ""
    return key or headers.get(b"x-api-key", b"").decode("latin-1")


def _needed_scope(method: str, path: str) -> str | None:
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDER) or method == "OPTIONS":
        return None
    if method == "DELETE" or path == NAMES_USERS:
        return "admin"
    return "write" if path == "/events" else "read"
