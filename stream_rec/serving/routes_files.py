"""Files of the live page and of /docs; all come from this machine.

Swagger UI's own files are those that the package fastapi-offline carries.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

from stream_rec.serving.problems import HttpError

OWN_FILES = {
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "docs.html": "text/html; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
}
SWAGGER_FILES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SWAGGER_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI writes styles into its elements."""


def file_routes() -> APIRouter:
    """Return the routes of all files."""
    router = APIRouter(include_in_schema=False)
    page = files("stream_rec.serving") / "page"
    swagger = files("fastapi_offline") / "static"
    contents = {name: (page / name).read_bytes() for name in OWN_FILES}
    contents |= {name: (swagger / name).read_bytes() for name in SWAGGER_FILES}
    kinds = OWN_FILES | SWAGGER_FILES

    def answer(name: str, policy: str = POLICY) -> Response:
        if name not in contents:
            raise HttpError(404, "no such file")
        headers = {
            "cache-control": "no-cache",
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
        return Response(contents[name], headers=headers, media_type=kinds[name])

    @router.get("/")
    async def index() -> Response:
        return answer("index.html")

    @router.get("/docs")
    async def docs() -> Response:
        return answer("docs.html", SWAGGER_POLICY)

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return answer("icon.svg")

    @router.get("/page/{name}")
    async def file(name: str) -> Response:
        return answer(name)

    return router
