"""``stream-rec config``: what is configured, by what, and whether it is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from stream_rec.config import LoadedSettings

MASK = "********"


@click.group()
def config() -> None:
    """Show or check the configuration."""


@config.command(
    epilog=examples(
        "stream-rec config show",
        "stream-rec --config my.toml config show --changed",
        "stream-rec config show --json | jq '.[\"kafka.broker\"].value'",
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: key -> value and origin.")
@click.option("--changed", is_flag=True, help="Only what differs from the defaults' origin.")
@common_options
@click.pass_obj
def show(options: CommonOptions, as_json: bool, changed: bool) -> None:
    """Show every effective setting and where it came from; secrets are masked."""
    rows = list(effective_settings(options.load(), changed))
    if as_json:
        table = {key: {"value": value, "origin": origin} for key, value, origin in rows}
        click.echo(json.dumps(table, indent=2, ensure_ascii=False))
        return
    texts = [(key, json.dumps(value, ensure_ascii=False), origin) for key, value, origin in rows]
    key_width = max((len(key) for key, _, _ in texts), default=0)
    value_width = min(32, max((len(text) for _, text, _ in texts), default=0))
    for key, text, origin in texts:
        shown = "" if origin == "default" else f"  # {origin}"
        click.echo(f"{key:{key_width}} = {text:{value_width}}{shown}".rstrip())


@config.command(
    epilog=examples(
        "STREAM_REC_KAFKA__BROKER=kafka:9092 stream-rec --config my.toml config check",
    )
)
@common_options
@click.pass_obj
def check(options: CommonOptions) -> None:
    """Check the configuration, including that certificates can be read; exit status 2 if wrong."""
    loaded = options.load()
    check_client_files(loaded)
    n_set = len(loaded.origins)
    click.echo(f"configuration is right: {n_set} of its values set, the others are the defaults")


def check_client_files(loaded: LoadedSettings) -> None:
    """Build what clients need of certificates and keys, as a worker does at its start."""
    from stream_rec.kafka_clients import confluent_config, ssl_context

    kafka = loaded.settings.kafka
    if kafka.broker != "embedded":
        confluent_config(kafka)
    if kafka.uses_tls:
        ssl_context(kafka)


def effective_settings(
    loaded: LoadedSettings, changed: bool = False
) -> Iterator[tuple[str, Any, str]]:
    """Yield (dotted key, JSON value, origin); a secret's value is a mask."""
    for key, value in _flatten(loaded.settings.model_dump(mode="json")):
        origin = loaded.origins.get(key, "default")
        if changed and origin == "default":
            continue
        yield key, MASK if _is_secret(key) and value is not None else value, origin


def _flatten(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_secret(key: str) -> bool:
    from stream_rec.config import SECRET_KEYS

    return key.rpartition(".")[2] in SECRET_KEYS
