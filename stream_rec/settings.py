"""What can be configured: typed, frozen sections, each with its defaults and its bounds.

Code takes the section that it needs, never a file or the environment; those are read in one place,
stream_rec/config.py. ``config/default.toml`` says for every key its unit and its effect, and a test
keeps the two equal. Settings that contradict each other are refused here, so that whoever holds a
section may rely on it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from stream_rec.settings_section import (
    NonNegativeFloat,
    NonNegativeInt,
    Port,
    PositiveFloat,
    PositiveInt,
    Section,
)
from stream_rec.settings_serve import ServeSettings

EMBEDDED = "embedded"
"""The value of ``kafka.broker`` that asks for the broker in a process of our own."""

BROKER_ADDRESS = r"(\[[0-9a-fA-F:]+\]|[^\s:,\[\]]+):\d{1,5}"

TopicName = Annotated[str, Field(pattern=r"^(\{app_id\})?[a-zA-Z0-9._-]+$", max_length=249)]

LogFormat = Literal["text", "json"]


class KafkaSettings(Section):
    """How to reach Kafka: address, security, timeouts, queues."""

    broker: str = "localhost:9092"
    embedded: bool = False
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_password: SecretStr | None = None
    ssl_check_hostname: bool = True
    session_timeout_s: PositiveFloat = 12.0
    heartbeat_interval_s: PositiveFloat = 1.0
    request_timeout_s: PositiveFloat = 30.0
    fetch_max_wait_ms: PositiveInt = 100
    fetch_min_bytes: PositiveInt = 1
    fetch_partition_bytes_max: PositiveInt = 1_048_576
    delivery_timeout_ms: PositiveInt = 10_000
    clock_skew_s_max: PositiveFloat = 60.0
    linger_ms: NonNegativeInt = 0
    producer_queue_records_max: PositiveInt = 100_000
    producer_queue_kib_max: PositiveInt = 65_536
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"

    @property
    def uses_sasl(self) -> bool:
        """Whether clients log in with a user name and a password."""
        return self.security_protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol.endswith("SSL")

    @field_validator("broker")
    @classmethod
    def _check_broker(cls, broker: str) -> str:
        addresses = broker.split(",")
        if broker == EMBEDDED or all(re.fullmatch(BROKER_ADDRESS, a) for a in addresses):
            return broker
        raise ValueError(f'host:port (several with commas between them) or "{EMBEDDED}"')

    @model_validator(mode="after")
    def _check_security(self) -> Self:
        if self.uses_sasl and not (self.sasl_username and self.sasl_password):
            raise ValueError(
                f"kafka.security_protocol = {self.security_protocol} expects kafka.sasl_username "
                "and kafka.sasl_password"
            )
        if not self.uses_sasl and (self.sasl_username or self.sasl_password):
            raise ValueError(
                "kafka.sasl_username and kafka.sasl_password expect kafka.security_protocol = "
                f"SASL_SSL or SASL_PLAINTEXT, came {self.security_protocol}"
            )
        if not self.uses_tls and (self.ssl_cafile or self.ssl_certfile or self.ssl_keyfile):
            raise ValueError(
                "kafka.ssl_cafile, ssl_certfile and ssl_keyfile expect kafka.security_protocol = "
                f"SSL or SASL_SSL, came {self.security_protocol}"
            )
        if self.ssl_keyfile and not self.ssl_certfile:
            raise ValueError("kafka.ssl_keyfile expects kafka.ssl_certfile beside it")
        return self

    @model_validator(mode="after")
    def _check_timeouts(self) -> Self:
        if self.heartbeat_interval_s * 3 > self.session_timeout_s:
            raise ValueError(
                "kafka.heartbeat_interval_s expects at most a third of kafka.session_timeout_s "
                f"({self.session_timeout_s:g} s), came {self.heartbeat_interval_s:g} s"
            )
        if self.delivery_timeout_ms >= self.session_timeout_s * 1000:
            raise ValueError(
                "kafka.delivery_timeout_ms expects less than kafka.session_timeout_s "
                f"({self.session_timeout_s:g} s), came {self.delivery_timeout_ms} ms: a worker "
                "that lost its partitions must not write any more"
            )
        if self.request_timeout_s < self.session_timeout_s:
            raise ValueError(
                "kafka.request_timeout_s expects at least kafka.session_timeout_s "
                f"({self.session_timeout_s:g} s), came {self.request_timeout_s:g} s"
            )
        return self


class TopicSettings(Section):
    """Names and shape of the topics; ``{app_id}`` stands for the application's id."""

    events: TopicName = "events"
    recommendations: TopicName = "recommendations"
    dlq: TopicName = "events.dlq"
    items_changelog: TopicName = "{app_id}-items-changelog"
    profiles_changelog: TopicName = "{app_id}-profiles-changelog"
    partitions: PositiveInt = 8
    replication_factor: PositiveInt = 1
    min_insync_replicas: PositiveInt = 1
    min_compaction_lag_ms: NonNegativeInt = 60_000

    @property
    def names(self) -> tuple[str, ...]:
        """All topics that a worker reads or writes."""
        return (
            self.events,
            self.recommendations,
            self.dlq,
            self.items_changelog,
            self.profiles_changelog,
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError(
                "topics.min_insync_replicas expects at most topics.replication_factor "
                f"({self.replication_factor}), came {self.min_insync_replicas}"
            )
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"topics expects five different names, came {', '.join(self.names)}")
        return self


class WorkerSettings(Section):
    """One worker process: where its state is, how often it commits, how much it may hold."""

    state_dir: Path = Path("state")
    commit_interval_s: PositiveFloat = 5.0
    commit_events_max: PositiveInt = 20_000
    batch_records_max: PositiveInt = 64
    shutdown_timeout_s: PositiveFloat = 5.0
    stall_timeout_s: PositiveFloat = 120.0
    rebuild_from: str = ""
    switch_from: str = ""
    rocksdb_block_cache_mib: PositiveInt = 128
    rocksdb_write_buffer_mib: PositiveInt = 64
    web_enabled: bool = False
    web_host: str = "127.0.0.1"
    web_port: Port = 6066
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"

    @model_validator(mode="after")
    def _check_begin(self) -> Self:
        if self.rebuild_from and self.switch_from:
            raise ValueError("worker.rebuild_from and worker.switch_from exclude each other")
        return self


class EventType(Section):
    """What one type of event means to the model."""

    weight: Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)] = 1.0
    scale: tuple[float, float] | None = None
    value_required: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.weight == 0:
            raise ValueError("weight expects a number other than 0 (positive: liked), came 0")
        if self.scale and not self.scale[0] < self.scale[1]:
            raise ValueError(f"scale expects [lowest, highest], came {list(self.scale)}")
        return self


BUILTIN_EVENT_TYPES: dict[str, EventType] = {
    **{
        name: EventType()
        for name in ("view", "click", "like", "bookmark", "comment", "follow", "cart", "purchase")
    },
    "rating": EventType(scale=(0.0, 10.0), value_required=True),
    **{name: EventType(weight=-1.0) for name in ("dislike", "return", "skip")},
}


def _over_builtin(name: str, given: EventType) -> EventType:
    """Let what is not given of a built-in type stay as it is."""
    if name not in BUILTIN_EVENT_TYPES:
        return given
    fields = {field: getattr(given, field) for field in given.model_fields_set}
    return BUILTIN_EVENT_TYPES[name].model_copy(update=fields)


class EventSettings(Section):
    """Which events are accepted, and what their types mean."""

    builtin_types: bool = True
    types: dict[str, EventType] = Field(default_factory=dict, validate_default=True)
    unknown_type: Literal["reject", "ignore"] = "reject"
    id_bytes_max: Annotated[int, Field(gt=0, le=256)] = 256
    value_bytes_max: PositiveInt = 1_000_000
    future_tolerance_s: NonNegativeFloat = 86_400.0
    duplicate_window: Annotated[int, Field(ge=0, le=1_000)] = 16

    @model_validator(mode="after")
    def _add_builtin_types(self) -> Self:
        if self.builtin_types:
            given = {name: _over_builtin(name, event) for name, event in self.types.items()}
            object.__setattr__(self, "types", {**BUILTIN_EVENT_TYPES, **given})
        if "forget" in self.types:
            raise ValueError(
                'events.types expects names of its own, came "forget", which is how a user asks to '
                "be forgotten"
            )
        if not self.types:
            raise ValueError("events.types expects at least one type when builtin_types = false")
        return self


class ModelSettings(Section):
    """The recommender: how long lists are, what is remembered, how it learns."""

    list_length: Annotated[int, Field(gt=0, le=100)] = 10
    half_lives_s: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=8)] = (
        7_200.0,
        86_400.0,
        604_800.0,
    )
    items_per_partition_max: PositiveInt = 1_000_000
    history_length: Annotated[int, Field(gt=0, le=1_000)] = 30
    links_per_item_max: Annotated[int, Field(gt=0, le=16_384)] = 512
    candidates_max: Annotated[int, Field(gt=0, le=10_000)] = 128
    linked_candidates: Annotated[int, Field(gt=0, le=10_000)] = 80
    n_factors: Annotated[int, Field(gt=0, le=256)] = 32
    learning_rate: Annotated[PositiveFloat, Field(le=10)] = 0.1
    seed: NonNegativeInt = 0
    users_in_memory_max: PositiveInt = 100_000
    seen_items_max: Annotated[int, Field(gt=0, le=100_000)] = 5_000
    user_burst_max: PositiveInt = 300
    exclude_seen: bool = True


class Settings(Section):
    """All settings of stream_rec; ``Settings()`` are the defaults, whatever the environment says.

    Examples
    --------
    >>> settings = Settings(app_id="films")
    >>> settings.model.list_length, settings.topics.items_changelog
    (10, 'films-items-changelog')
    """

    app_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]+$", max_length=200)] = "stream-rec"
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    worker: WorkerSettings = WorkerSettings()
    events: EventSettings = EventSettings()
    model: ModelSettings = ModelSettings()
    serve: ServeSettings = ServeSettings()

    @model_validator(mode="after")
    def _fill_in_app_id(self) -> Self:
        names = {
            key: value.replace("{app_id}", self.app_id)
            for key, value in self.topics.model_dump().items()
            if isinstance(value, str)
        }
        object.__setattr__(self, "topics", self.topics.model_copy(update=names))
        return self
