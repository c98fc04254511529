"""No more streams are open than `serve.streams_max` says, of both kinds together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.types import ASGIApp, Message

from stream_rec.config import Settings
from stream_rec.serving.app import create_app
from stream_rec.serving.keys import Keys
from tests.serving.conftest import serving

PATHS = ["/users/u3/stream", "/live/stream"]


class Reader:
    """Asks for a stream, and reads until it is told to go."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()
        self._is_asked = False
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self._task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def go(self) -> None:
        self._gone.set()
        await self._task

    async def _receive(self) -> Message:
        if not self._is_asked:
            self._is_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status.set_result(message["status"])


@contextlib.asynccontextmanager
async def read_at_once(app: ASGIApp, paths: list[str]) -> AsyncIterator[list[int]]:
    """Ask for streams at the same moment; yield what each was answered with."""
    readers = [Reader(app, path) for path in paths]
    try:
        yield list(await asyncio.gather(*(reader.status for reader in readers)))
    finally:
        for reader in readers:
            await reader.go()


@pytest.mark.parametrize("path", PATHS)
async def test_streams_asked_for_at_once_are_as_many_as_may_be(
    settings: Settings, path: str
) -> None:
    serve = settings.serve.model_copy(update={"streams_max": 2})
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        app = create_app(served.service, Keys([]))
        async with asyncio.timeout(60):
            for _ in range(2):
                async with read_at_once(app, [path, *PATHS, path]) as statuses:
                    assert sorted(statuses) == [200, 200, 503, 503]
        assert served.service.n_streams == 0
