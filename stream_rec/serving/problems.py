"""Errors of the HTTP service as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from pydantic import BaseModel, Field
from starlette.responses import Response

PROBLEM_JSON = "application/problem+json"


class HttpError(Exception):
    """An answer other than the one asked for.

    Parameters
    ----------
    status : int
        Of HTTP.
    detail : str
        What was expected, what came, what to do.
    errors : sequence of mappings, optional
        What is wrong with which part of the request.
    headers : mapping, optional
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        return Response(
            msgspec.json.encode(body), self.status, self.headers, media_type=PROBLEM_JSON
        )


class ProblemError(BaseModel):
    """What is wrong with one part of a request."""

    code: str
    detail: str
    index: int | None = Field(None, description="Place in the batch, from 0.")
    pointer: str | None = Field(None, description="Which parameter or field.")


class ProblemBody(BaseModel):
    """HttpError details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError] | None = None


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of problems that a route may answer with."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }
