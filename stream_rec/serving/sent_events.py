"""Streams of server-sent events, of which only so many may be open at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from stream_rec.serving.problems import HttpError
from stream_rec.serving.service import Service

RETRY_AFTER_S = 10


class SentEvents(StreamingResponse):
    """An answer that stays open; it has its place before it begins, and until it ends.

    Parameters
    ----------
    service : Service
        Counts those that are open.
    parts : async generator of bytes
    """

    def __init__(self, service: Service, parts: AsyncGenerator[bytes]) -> None:
        super().__init__(
            parts,
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._service = service
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse where too many are open."""
        service = self._service
        most = service.settings.serve.streams_max
        if service.n_streams >= most:
            raise HttpError(
                503,
                f"expected at most {most} open streams (serve.streams_max); come again later",
                headers={"retry-after": str(RETRY_AFTER_S)},
            )
        service.n_streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            service.n_streams -= 1
            await self._parts.aclose()
