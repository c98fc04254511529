"""The three places settings come from, each read into the same flat shape: key -> value and origin.

Every source checks its keys before anything else, because only here is it known how a key was
spelt: ``kafka.brokr`` in a file, ``STREAM_REC_KAFKA__BROKR`` in the environment.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

from stream_rec.errors import ConfigError
from stream_rec.settings import BUILTIN_EVENT_TYPES, EventType, Settings
from stream_rec.settings_section import Section

ENV_PREFIX = "STREAM_REC_"
ENV_PREFIXES_OF_OTHERS = (
    "STREAM_REC_TEST_",
    "STREAM_REC_REQUIRE_",
    "STREAM_REC_DATA",
    "STREAM_REC_METRICS_KEY",
)
"""Of the tests, and of docker-compose.yml."""
ENV_CONFIG_FILE = "STREAM_REC_CONFIG"
ENV_DELIMITER = "__"
EVENT_TYPES = ("events", "types")

Key = tuple[str, ...]


class Value(NamedTuple):
    """What was given for a key, and by what: a file, a variable, an override."""

    value: object
    origin: str


def read_file(path: Path) -> dict[Key, Value]:
    """Read a TOML file; a key that is no setting is a `ConfigError`."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected TOML, in {path}: {error}") from None
    values = dict(_flatten(tree))
    for key in values:
        _check_known(".".join(key), [".".join(known) for known in known_keys(key)], str(path))
    return {key: Value(value, str(path)) for key, value in values.items()}


def read_environment(environment: Mapping[str, str]) -> dict[Key, Value]:
    """Read the variables that start with ``STREAM_REC_``, except those that are no settings."""
    texts = {}
    for name, text in environment.items():
        if _is_setting(name):
            key = tuple(name.removeprefix(ENV_PREFIX).lower().split(ENV_DELIMITER))
            _check_known(name, [env_name(known) for known in known_keys(key)], "the environment")
            texts[key] = text
    return {
        key: Value(value, f"environment variable {env_name(key)}")
        for key, value in _parse_texts(texts, "the environment").items()
    }


def read_overrides(overrides: Mapping[str, object]) -> dict[Key, Value]:
    """Read dotted keys with typed values, or with texts as in the environment."""
    values: dict[Key, object] = {}
    for dotted, value in overrides.items():
        key = tuple(dotted.split("."))
        _check_known(dotted, [".".join(known) for known in known_keys(key)], "an override (--set)")
        values[key] = value
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    typed = {key: value for key, value in values.items() if key not in texts}
    values = _parse_texts(texts, "an override (--set)") | dict(_flatten(nest_plain(typed)))
    return {key: Value(value, "override (--set)") for key, value in values.items()}


def env_name(key: Key) -> str:
    """Name the environment variable of a key."""
    return ENV_PREFIX + ENV_DELIMITER.join(key).upper()


def known_keys(beside: Key = ()) -> Iterator[Key]:
    """Yield every key that may be set; event types are free to name, so `beside` names one more."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from ((name, key) for key in section.model_fields if (name, key) != EVENT_TYPES)
        else:
            yield (name,)
    named = set(BUILTIN_EVENT_TYPES) | ({beside[2]} if beside[:2] == EVENT_TYPES else set())
    for event_type in sorted(named):
        yield (*EVENT_TYPES, event_type)
        yield from ((*EVENT_TYPES, event_type, key) for key in EventType.model_fields)


def nearest_name(name: str, known: Sequence[str]) -> str | None:
    """Find the right name that was probably meant: the same key of another section goes first."""
    last = re.split(r"\.|__", name)[-1]
    namesakes = [other for other in known if re.split(r"\.|__", other)[-1] == last]
    nearest = difflib.get_close_matches(name, namesakes, n=1, cutoff=0.4)
    nearest = nearest or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return nearest[0] if nearest else None


def nest(values: Mapping[Key, Value]) -> dict[str, Any]:
    """Turn flat keys back into tables."""
    return nest_plain({key: value.value for key, value in values.items()})


def nest_plain(values: Mapping[Key, object]) -> dict[str, Any]:
    """Turn flat keys back into tables, for values without an origin."""
    tree: dict[str, Any] = {}
    for key in sorted(values, key=len):
        table = tree
        for name in key[:-1]:
            table = table.setdefault(name, {})
        table[key[-1]] = values[key]
    return tree


def _flatten(tree: Mapping[str, Any], at: Key = ()) -> Iterator[tuple[Key, object]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, (*at, name))
        elif not isinstance(value, Mapping) or len(at) == len(EVENT_TYPES):
            yield (*at, name), value


def _check_known(name: str, known: list[str], where: str) -> None:
    if name in known:
        return
    nearest = nearest_name(name, known)
    hint = f"did you mean {nearest}?" if nearest else "see config/default.toml for all keys"
    raise ConfigError(f"{name} is not a setting, in {where}; {hint}")


def _is_setting(name: str) -> bool:
    if not name.startswith(ENV_PREFIX) or name == ENV_CONFIG_FILE:
        return False
    return not name.startswith(ENV_PREFIXES_OF_OTHERS)


class _TextSettings(Settings, BaseSettings):
    """The same settings in the shape that pydantic-settings reads texts into."""

    model_config = SettingsConfigDict(env_nested_delimiter=ENV_DELIMITER)


class _TextSource(EnvSettingsSource):
    """Read given texts instead of this process's environment."""

    def __init__(self, texts: Mapping[Key, str]) -> None:
        self._texts = {ENV_DELIMITER.join(key): text for key, text in texts.items()}
        super().__init__(_TextSettings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._texts


def _parse_texts(texts: Mapping[Key, str], where: str) -> dict[Key, object]:
    """Turn texts into values as pydantic-settings does: lists and tables are written as JSON."""
    values: dict[Key, object] = {}
    for key, text in texts.items():
        try:
            values |= _flatten(_TextSource({key: text})())
        except SettingsError:
            name = ".".join(key)
            raise ConfigError(f"{name}: expected JSON, came {text!r}, in {where}") from None
    return values
