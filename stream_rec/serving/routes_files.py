"""Files of the live page and of /docs; all come from this machine.

Swagger UI's own files are those that the package fastapi-offline carries.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

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
