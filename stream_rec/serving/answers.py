"""Answers of the HTTP service: JSON with an ETag, pages of long lists, and lists for any user.

The body of a list is the message as Kafka has it, with what the service knows beside it; its
entries are not decoded on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import xxhash
from starlette.requests import Request
from starlette.responses import Response

from stream_rec.serving.catalogue import Entry
from stream_rec.serving.lists import StoredList
from stream_rec.serving.service import Service

JSON = "application/json"
PERSONAL, TRENDING = "personal", "trending"


class ItemOnly(msgspec.Struct):
    """The id of a list's entry."""

    item: str


encode = msgspec.json.encode
_ITEM = msgspec.json.Decoder(ItemOnly).decode


def cached_json(request: Request, body: bytes) -> Response:
    """Answer with a body, or with 304 if the client has it already."""
    tag = f'"{xxhash.xxh3_64_hexdigest(body)}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    known = request.headers.get("if-none-match")
    if known is not None and (known.strip() == "*" or tag in known):
        return Response(None, 304, headers)
    return Response(body, 200, headers, media_type=JSON)


def json(content: Any, status: int = 200) -> Response:
    """Answer with what changes all the time."""
    return Response(encode(content), status, media_type=JSON)


def page_of(request: Request, entries: Sequence[Any], n: int, offset: int) -> dict[str, Any]:
    """Return a page of a list, and where the next is."""
    page: dict[str, Any] = {"items": entries[offset : offset + n], "total": len(entries)}
    if offset + n < len(entries):
        parameters = dict(request.query_params) | {"n": n, "offset": offset + n}
        page["next"] = f"{quote(request.scope['path'], safe='/')}?{urlencode(parameters)}"
    return page


def list_for(
    service: Service, user: str, n: int, exclude: frozenset[str], reflects: bool | None
) -> bytes:
    """Return the list of a user as JSON: the last one, longer if asked for, or what is trending."""
    stored = service.lists.read(user)
    if stored is None:
        return _list_of_unknown(service, user, n, exclude, reflects)
    items: list[Any] = list(stored.items)
    if exclude:
        items = [entry for entry in items if _ITEM(entry).item not in exclude]
    if len(items) < n and (n > len(stored.items) or exclude):
        items += _more(service, user, stored, n - len(items), exclude)
    return encode(
        {
            "user": user,
            "items": items[:n],
            "kind": PERSONAL,
            "stale": service.is_stale,
            "reflects": reflects,
            "generated_at": stored.generated_at,
            "model_version": stored.model_version,
            "source": stored.source,
        }
    )


def session_list(
    service: Service, items: Sequence[str], n: int, exclude: Sequence[str]
) -> Response:
    """Answer somebody of whom only recent items are known."""
    catalogue = service.catalogue
    listed = catalogue.inquiry.list_for_history(items, n, catalogue.now_s, exclude)
    return json({"items": catalogue.entries(listed), "stale": service.is_stale})


def trending_entries(service: Service, n: int, exclude: frozenset[str]) -> list[Entry]:
    """Return the list of somebody of whom nothing is known."""
    catalogue = service.catalogue
    if not exclude:
        return catalogue.for_everybody(n)
    listed = catalogue.inquiry.list_for_history([], n, catalogue.now_s, sorted(exclude))
    return catalogue.entries(listed)


def item_ids(stored: StoredList) -> list[str]:
    """Return the items of a list in its order."""
    return [_ITEM(entry).item for entry in stored.items]


def _list_of_unknown(
    service: Service, user: str, n: int, exclude: frozenset[str], reflects: bool | None
) -> bytes:
    return encode(
        {
            "user": user,
            "items": trending_entries(service, n, exclude),
            "kind": TRENDING,
            "stale": service.is_stale,
            "reflects": reflects,
            "generated_at": None,
            "model_version": None,
            "source": None,
        }
    )


def _more(
    service: Service, user: str, stored: StoredList, n: int, exclude: frozenset[str]
) -> list[Entry]:
    """Rank for a user what the list does not hold."""
    without = sorted(exclude.union(item_ids(stored)))
    catalogue = service.catalogue
    row = service.profile_row(user)
    if row is None:
        return trending_entries(service, n, frozenset(without))
    listed = catalogue.inquiry.list_for_profile(user, row, n, catalogue.now_s, without)
    return catalogue.entries(listed)
