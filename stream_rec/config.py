"""Read the settings: TOML file < environment < overrides.

    file          [kafka]                              broker = "kafka:9092"
    environment   STREAM_REC_KAFKA__BROKER=kafka:9092  two underscores between section and key
    override      kafka.broker=kafka:9092              (``--set`` on the command line)

A key that nobody knows is an error that names where it stands and the nearest right one; a value
out of range is an error that says what was expected, what came, and where. Secrets are never part
of a message. Not settings: ``STREAM_REC_CONFIG`` (the file that the command line reads) and what
starts with ``STREAM_REC_TEST_`` or ``STREAM_REC_REQUIRE_`` (the tests' own), and the names that
docker-compose.yml has besides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from stream_rec.config_sources import Value, nest, read_environment, read_file, read_overrides
from stream_rec.errors import ConfigError
from stream_rec.settings import (
    EMBEDDED,
    EventSettings,
    EventType,
    KafkaSettings,
    ModelSettings,
    Settings,
    TopicSettings,
    WorkerSettings,
)
from stream_rec.settings_serve import ServeSettings

__all__ = [
    "EMBEDDED",
    "EventSettings",
    "EventType",
    "KafkaSettings",
    "LoadedSettings",
    "ModelSettings",
    "ServeSettings",
    "Settings",
    "TopicSettings",
    "WorkerSettings",
    "load_settings",
    "load_settings_with_origins",
]

NOTHING: Mapping[str, Any] = MappingProxyType({})
SECRET_KEYS = frozenset({"sasl_password", "ssl_password", "ssl_keyfile_password"})


class LoadedSettings(NamedTuple):
    """Settings, and for each dotted key that was set, by what; other keys have their default."""

    settings: Settings
    origins: dict[str, str]


def load_settings(path: Path | None = None, overrides: Mapping[str, object] = NOTHING) -> Settings:
    """Read the settings from a file, the environment and overrides.

    Parameters
    ----------
    path : Path, optional
        A TOML file; without it only the environment and the overrides apply to the defaults.
    overrides : Mapping[str, object]
        By dotted key, e.g. ``{"kafka.broker": "kafka:9092"}``. Texts are read as the environment's
        are (``"[3600, 86400]"`` is a list where the setting is one).

    Raises
    ------
    ConfigError
        A key is unknown, a value is out of range, or the file cannot be read.
    """
    return load_settings_with_origins(path, overrides).settings


def load_settings_with_origins(
    path: Path | None = None,
    overrides: Mapping[str, object] = NOTHING,
    environment: Mapping[str, str] = os.environ,
) -> LoadedSettings:
    """Read the settings as `load_settings` does, and keep where each value came from."""
    merged: dict[tuple[str, ...], Value] = {}
    if path is not None:
        merged |= read_file(path)
    merged |= read_environment(environment)
    merged |= read_overrides(overrides)
    try:
        settings = Settings.model_validate(nest(merged))
    except ValidationError as error:
        raise ConfigError(_explain(error, merged)) from None
    return LoadedSettings(settings, {".".join(key): value.origin for key, value in merged.items()})


def _explain(error: ValidationError, merged: Mapping[tuple[str, ...], Value]) -> str:
    """Say for each wrong value what was expected, what came, and where it stands."""
    lines = []
    for detail in error.errors(include_url=False, include_context=False):
        location = tuple(str(part) for part in detail["loc"])
        expected = _expected(detail["type"], detail["msg"])
        value, key = _find(location, merged)
        if value is None:
            section_origins = {
                given.origin for given_key, given in merged.items() if given_key[:1] == location[:1]
            }
            prefix = f"{'.'.join(location)}: " if len(location) > 1 else ""
            lines.append(f"{prefix}{expected} (set in: {', '.join(sorted(section_origins))})")
            continue
        came = "a secret (not shown)" if key[-1] in SECRET_KEYS else repr(value.value)
        lines.append(f"{'.'.join(key)}: expected {expected}, came {came}, in {value.origin}")
    return "\n".join(lines)


def _expected(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such key"
    message = message.replace("String should", "a text that should")
    return message.removeprefix("Value error, ").removeprefix("Input should be ")


def _find(
    location: tuple[str, ...], merged: Mapping[tuple[str, ...], Value]
) -> tuple[Value | None, tuple[str, ...]]:
    """Find the given value that an error is about: its key, or a list that it is part of."""
    for length in range(len(location), 0, -1):
        if location[:length] in merged:
            return merged[location[:length]], location[:length]
    return None, location
