"""The ASGI application: routes, problems, gate."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from stream_rec.serving.figures import Figures
from stream_rec.serving.gate import Gate
from stream_rec.serving.id_paths import register_id_paths
from stream_rec.serving.keys import Keys
from stream_rec.serving.problems import HttpError, ProblemBody
from stream_rec.serving.quick_answers import QuickAnswers
from stream_rec.serving.routes_events import event_routes
from stream_rec.serving.routes_files import file_routes
from stream_rec.serving.routes_items import item_routes, state_routes
from stream_rec.serving.routes_lists import list_routes
from stream_rec.serving.routes_live import live_routes
from stream_rec.serving.service import Service

API_VERSION = "1"


def create_app(service: Service, keys: Keys) -> ASGIApp:
    """Build the application.

    Parameters
    ----------
    service : Service
        Started.
    keys : Keys
        None: everybody may do everything.
    """
    serve = service.settings.serve
    figures = Figures()
    app = FastAPI(
        title="stream_rec",
        version=API_VERSION,
        description="Recommendations that learn from every event.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    register_id_paths()
    app.include_router(file_routes())
    app.include_router(live_routes(service))
    app.include_router(list_routes(service))
    app.include_router(item_routes(service))
    app.include_router(event_routes(service, figures.events_written))
    app.include_router(state_routes(service, figures))
    app.add_exception_handler(HttpError, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.openapi = lambda: _openapi(app, has_keys=len(keys) > 0)  # type: ignore[method-assign]
    gate: ASGIApp = Gate(QuickAnswers(app, service), serve, keys, figures)
    if serve.cors_origins:
        gate = CORSMiddleware(
            gate,
            allow_origins=serve.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=[
                *("authorization", "x-api-key", "content-type", "if-none-match"),
                *("traceparent", "tracestate"),
            ],
            expose_headers=["etag", "retry-after"],
        )
    return gate


def _openapi(app: FastAPI, *, has_keys: bool) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {})
        schemas["ProblemBody"] = problem
        if has_keys:
            bearer = {"type": "http", "scheme": "bearer"}
            components["securitySchemes"] = {"key": bearer}
            document["security"] = [{"key": []}]
        app.openapi_schema = document
    return app.openapi_schema


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return error.response()


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return HttpError(error.status_code, error.detail, headers=dict(error.headers or {})).response()


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {
            "code": str(one["type"]),
            "detail": str(one["msg"]),
            "pointer": "/".join(map(str, one["loc"])),
        }
        for one in error.errors()
    ]
    return HttpError(422, "the request is not as expected", errors).response()
