"""``POST /events`` and ``DELETE /users/{user}``: what goes to Kafka."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from stream_rec.errors import InvalidEventError
from stream_rec.model.events import FORGET, EventDecoder
from stream_rec.model.forgetting import forget_request
from stream_rec.serving.answers import json
from stream_rec.serving.bodies import Accepted, EventBody, Place
from stream_rec.serving.event_writer import KafkaAwayError, TooLargeError, Written
from stream_rec.serving.problems import HttpError, documented
from stream_rec.serving.service import Service
from stream_rec.stream.tracing import trace_headers

RETRY_AFTER_S = 1
WRITE_PROBLEMS = documented(400, 401, 403, 422, 429, 503)

Record = tuple[bytes, bytes]


class EventRecords:
    """Checks events as the worker will and turns them into records.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        settings = service.settings
        self._decoder = EventDecoder(settings.events)
        self._batch_max = settings.serve.batch_events_max

    def read(self, body: bytes) -> list[Record]:
        """Return key and value of each event of a body.

        Raises
        ------
        HttpError
            The body is no JSON, there are too many, or some are bad: each of those is named.
        """
        try:
            given = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HttpError(422, f"expected JSON: {error}") from None
        events: list[Any] = given if isinstance(given, list) else [given]
        if not 1 <= len(events) <= self._batch_max:
            raise HttpError(422, f"expected 1 to {self._batch_max} events, came {len(events)}")
        records: list[Record] = []
        errors: list[dict[str, Any]] = []
        for index, event in enumerate(events):
            try:
                records.append(self._record(event))
            except InvalidEventError as error:
                errors.append({"index": index, "code": error.code, "detail": error.reason})
        if errors:
            raise HttpError(
                422, f"{len(errors)} of {len(events)} events are bad; none was written", errors
            )
        return records

    def forget(self, user: str) -> Record:
        """Return the request to forget a user.

        Raises
        ------
        HttpError
            This can be nobody's id.
        """
        try:
            key, value = forget_request(user)
            self._decoder.from_record(value, key, int(time.time() * 1000))
        except (InvalidEventError, UnicodeEncodeError) as error:
            raise HttpError(422, f"expected a user id: {error}") from None
        return key, value

    def _record(self, event: Any) -> Record:
        if isinstance(event, dict) and event.get("type") == FORGET:
            raise InvalidEventError("unknown_type", "to forget a user, DELETE /users/{user}")
        checked = self._decoder.from_object(event, time.time())
        if checked is None:
            raise InvalidEventError("unknown_type", "events of this type are ignored")
        value = msgspec.json.encode(event)
        key = checked.user.encode()
        self._decoder.from_record(value, key, int(time.time() * 1000))
        return key, value


def event_routes(service: Service, written: Any) -> APIRouter:
    """Return the routes that write.

    Parameters
    ----------
    service : Service
    written : Counter
        Of events acknowledged.
    """
    router = APIRouter(tags=["events"])
    events = EventRecords(service)

    async def write(records: list[Record], request: Request) -> list[Written]:
        if service.is_stale:
            raise _away("Kafka does not answer")
        try:
            places = await service.writer.write(records, trace_headers(request.headers))
        except TooLargeError as error:
            raise _too_large(error, len(records)) from None
        except KafkaAwayError as error:
            raise _away(str(error)) from None
        written.inc(len(places))
        return places

    @router.post(
        "/events",
        status_code=202,
        response_model=Accepted,
        responses=WRITE_PROBLEMS | documented(413, 415),
        openapi_extra={"requestBody": _events_body()},
    )
    async def post_events(request: Request) -> Response:
        """Write one event, or a list of them; answered when Kafka has acknowledged all."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HttpError(415, f"expected content-type: application/json, came {kind!r}")
        places = await write(events.read(await request.body()), request)
        return json({"events": [place._asdict() for place in places]}, 202)

    @router.delete(
        "/users/{user:id}", status_code=202, response_model=Place, responses=WRITE_PROBLEMS
    )
    async def forget_user(user: str, request: Request) -> Response:
        """Forget a user: the worker removes profile and list when it comes to this event."""
        place = (await write([events.forget(user)], request))[0]
        return json(place._asdict(), 202)

    return router


def _too_large(error: TooLargeError, n_records: int) -> HttpError:
    errors = [
        {
            "index": index,
            "code": "too_large",
            "detail": f"{error} with key and headers, came {size}",
        }
        for index, size in error.sizes.items()
    ]
    return HttpError(
        422,
        f"{len(errors)} of {n_records} events are too large for Kafka; none was written, "
        "send them without what is not needed",
        errors,
    )


def _away(detail: str) -> HttpError:
    return HttpError(503, detail, headers={"retry-after": str(RETRY_AFTER_S)})


def _events_body() -> dict[str, Any]:
    event = EventBody.model_json_schema()
    schema = {"anyOf": [event, {"type": "array", "items": event, "minItems": 1}]}
    return {"required": True, "content": {"application/json": {"schema": schema}}}
