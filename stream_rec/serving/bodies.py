"""Bodies of requests and answers, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from stream_rec.model.lists import LIST_LENGTH_MAX

ID_CHARACTERS_MAX = 256
ITEMS_MAX = 1000

Id = Annotated[str, Field(min_length=1, max_length=ID_CHARACTERS_MAX)]
ListLength = Annotated[int, Field(ge=1, le=LIST_LENGTH_MAX)]


class Body(BaseModel):
    """A request's body: no other fields than these."""

    model_config = ConfigDict(extra="forbid")


class EventBody(BaseModel):
    """One thing a user did with an item (docs/messages.md)."""

    user: Id | int
    item: Id | int
    type: str
    value: float | None = None
    ts: float | str | None = None
    event_id: Id | int | None = None
    session: Id | int | None = None
    context: Any = None


class Place(BaseModel):
    """Where an event is in Kafka."""

    topic: str
    partition: int
    offset: int


class Accepted(BaseModel):
    """Events that Kafka has, in the order of the request."""

    events: list[Place]


class Reason(BaseModel):
    """What speaks for an item; `because` is an item of the history."""

    source: str
    because: str | None = None


class Entry(BaseModel):
    """An item of a list."""

    item: str
    score: float
    reasons: list[Reason] = []


class SourceEvent(BaseModel):
    """The event that a list answers."""

    partition: int
    offset: int


class UserList(BaseModel):
    """The list of a user.

    `kind` is personal, or trending where nothing is known of the user. `stale`: Kafka is away, and
    the list may be older than it should be. `reflects`: whether it reflects the event of wait_for.
    """

    user: str
    items: list[Entry]
    kind: Literal["personal", "trending"]
    stale: bool
    reflects: bool | None
    generated_at: int | None
    model_version: str | None
    source: SourceEvent | None


class Page(BaseModel):
    """A page of items; `next` leads to the following one."""

    items: list[Entry]
    total: int
    next: str | None = None


class RelatedPage(Page):
    """Items related to one."""

    item: str
    relation: Literal["similar", "next"]


class TrendingPage(Page):
    """Items that are popular now.

    `score` counts events, by the weights of their types: decayed with `half_life_s`, the configured
    one that is nearest to the window; or, for 15m, all since the event time `since_s`. While
    nothing is known of the last 15 minutes, a half-life stands in.
    """

    window: Literal["15m", "2h", "24h", "7d"]
    half_life_s: float | None
    since_s: float | None


class Taken(BaseModel):
    """Something a user had, at an event time."""

    item: str
    ts: float


class UserPage(BaseModel):
    """What is known of a user as of the last commit; the newest of the history first."""

    user: str
    history: list[Taken]
    total: int
    next: str | None = None
    n_distinct: int
    last_ts: float
    list: SourceEvent | None


class SessionBody(Body):
    """What somebody who is not known had, the oldest first."""

    items: Annotated[list[Id], Field(max_length=ITEMS_MAX)]
    n: ListLength = 10
    exclude: Annotated[list[Id], Field(max_length=ITEMS_MAX)] = []


class SessionList(BaseModel):
    """A list for a history that is not stored."""

    items: list[Entry]
    stale: bool


class RankBody(Body):
    """Candidates to be ordered for a user, or for somebody with this history, the oldest first."""

    candidates: Annotated[list[Id], Field(min_length=1, max_length=ITEMS_MAX)]
    user: Id | None = None
    items: Annotated[list[Id], Field(max_length=ITEMS_MAX)] = []


class Ranked(BaseModel):
    """Candidates in order; `unknown` are those that nobody has had yet."""

    items: list[Entry]
    unknown: list[str]
    stale: bool


class ItemPage(BaseModel):
    """What is known of an item: how often it was taken, and its decayed counts."""

    item: str
    taken: float
    first_s: float
    last_s: float
    popular: dict[str, float]


class Health(BaseModel):
    """Whether it is caught up, and how far it is behind."""

    ready: bool
    lag: int
    kafka_silence_s: float
    items: int
