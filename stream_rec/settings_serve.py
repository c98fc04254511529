"""Settings of `stream-rec serve`; config/default.toml says what each does."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import SecretStr, model_validator

from stream_rec.settings_section import (
    NonNegativeFloat,
    NonNegativeInt,
    Port,
    PositiveFloat,
    PositiveInt,
    Section,
)


class ServeSettings(Section):
    """The HTTP service: where it listens, who may ask, how much at a time."""

    host: str = "127.0.0.1"
    port: Port = 8000
    state_dir: Path = Path("state")
    keys: tuple[str, ...] = ()
    keys_file: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    titles_file: Path | None = None
    cors_origins: tuple[str, ...] = ()
    rate_limit_per_s: NonNegativeFloat = 0.0
    rate_burst: PositiveInt = 100
    request_bytes_max: PositiveInt = 1_048_576
    batch_events_max: PositiveInt = 1_000
    events_in_flight_max: PositiveInt = 10_000
    delivery_timeout_ms: PositiveInt = 3_000
    wait_ms_max: NonNegativeInt = 100
    streams_max: PositiveInt = 1_000
    stale_after_s: PositiveFloat = 5.0
    ready_lag_max: NonNegativeInt = 10_000
    shutdown_timeout_s: PositiveFloat = 5.0
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_keyfile_password: SecretStr | None = None

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.ssl_keyfile and not self.ssl_certfile:
            raise ValueError("serve.ssl_keyfile expects serve.ssl_certfile beside it")
        return self
