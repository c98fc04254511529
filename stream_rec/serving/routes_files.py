"""Files of the live page and of /docs; all come from this machine.

Swagger UI's own files are those that the package fastapi-offline carries.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import xxhash
from fastapi import APIRouter, Request, Response

from stream_rec.serving.problems import HttpError

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"
JAVASCRIPT = "text/javascript; charset=utf-8"
OWN_FILES = {
    "index.html": HTML,
    "style.css": CSS,
    "parts.css": CSS,
    "app.js": JAVASCRIPT,
    "elements.js": JAVASCRIPT,
    "requests.js": JAVASCRIPT,
    "titles.js": JAVASCRIPT,
    "try.js": JAVASCRIPT,
    "now.js": JAVASCRIPT,
    "look.js": JAVASCRIPT,
    "icon.svg": "image/svg+xml",
    "docs.html": HTML,
    "docs.js": JAVASCRIPT,
}
SWAGGER_FILES = {
    "swagger-ui.css": CSS,
    "swagger-ui-bundle.js": JAVASCRIPT,
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SWAGGER_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI writes styles into its elements."""


class File(NamedTuple):
    """A file of the page; the tag is weak because the compressed file has it, too."""

    content: bytes
    kind: str
    tag: str


def file_routes() -> APIRouter:
    """Return the routes of all files: compressed where the browser takes it, once per change."""
    router = APIRouter(include_in_schema=False)
    known = _read_files()

    @cache
    def compressed(name: str) -> bytes:
        return gzip.compress(known[name].content, mtime=0)

    def answer(request: Request, name: str, policy: str = POLICY) -> Response:
        if name not in known:
            raise HttpError(404, "no such file")
        file = known[name]
        headers = {
            "cache-control": "no-cache",
            "etag": file.tag,
            "vary": "accept-encoding",
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(compressed(name), headers=headers, media_type=file.kind)
        return Response(file.content, headers=headers, media_type=file.kind)

    @router.get("/")
    async def index(request: Request) -> Response:
        return answer(request, "index.html")

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        return answer(request, "docs.html", SWAGGER_POLICY)

    @router.get("/favicon.ico")
    async def icon(request: Request) -> Response:
        return answer(request, "icon.svg")

    @router.get("/page/{name}")
    async def file(request: Request, name: str) -> Response:
        return answer(request, name)

    return router


def _read_files() -> dict[str, File]:
    page = files("stream_rec.serving") / "page"
    swagger = files("fastapi_offline") / "static"
    contents = {name: (page / name).read_bytes() for name in OWN_FILES}
    contents |= {name: (swagger / name).read_bytes() for name in SWAGGER_FILES}
    kinds = OWN_FILES | SWAGGER_FILES
    return {
        name: File(content, kinds[name], f'W/"{xxhash.xxh3_64_hexdigest(content)}"')
        for name, content in contents.items()
    }
