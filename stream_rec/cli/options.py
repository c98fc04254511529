"""The options that every command takes, before or after its name, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from stream_rec.config import LoadedSettings, Settings

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class CommonOptions:
    """Which configuration a command works with, and whether errors show their traceback."""

    config: Path | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    debug: bool = False

    def load(self) -> LoadedSettings:
        """Read the settings and where each came from."""
        # pydantic takes 0.2 s to import: not before it is needed, so that --help is quick.
        from stream_rec.config import load_settings_with_origins

        return load_settings_with_origins(self.config, self.overrides)

    def load_settings(self) -> Settings:
        """Read the settings."""
        return self.load().settings

    def with_overrides(self, overrides: dict[str, str]) -> CommonOptions:
        """Return the same options with more settings overridden."""
        return CommonOptions(self.config, self.overrides | overrides, self.debug)

    def as_arguments(self) -> list[str]:
        """Return the command line that gives another process the same options."""
        arguments = ["--config", str(self.config)] if self.config else []
        for key, value in self.overrides.items():
            arguments += ["--set", f"{key}={value}"]
        return arguments + (["--debug"] if self.debug else [])


def common_options(command: Command) -> Command:
    """Add --config, --set and --debug to a command; the context's `CommonOptions` takes them."""
    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            envvar="STREAM_REC_CONFIG",
            metavar="PATH",
            expose_value=False,
            callback=_set_config,
            help="TOML file with settings (also: environment STREAM_REC_CONFIG).",
        ),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="SECTION.KEY=VALUE",
            expose_value=False,
            callback=_add_overrides,
            help="Override one setting; may be given several times.",
        ),
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_set_debug,
            help="Show the traceback of an error.",
        ),
    ):
        command = option(command)
    return command


def _set_config(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    options = ctx.ensure_object(CommonOptions)
    if path is not None:
        options.config = path


def _add_overrides(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> None:
    options = ctx.ensure_object(CommonOptions)
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator:
            raise click.BadParameter(f"expected SECTION.KEY=VALUE, came {text!r}", ctx, parameter)
        options.overrides[key.strip()] = value.strip()


def _set_debug(ctx: click.Context, parameter: click.Parameter, debug: bool) -> None:
    ctx.ensure_object(CommonOptions).debug |= debug
