"""What the producers' command lines have in common: where Kafka is, errors, exit statuses.

Status 0: every event was delivered; 1: some were not, or the input cannot be read; 2: the command
line or the configuration is wrong; 130: interrupted.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from stream_rec.config import Settings, load_settings
from stream_rec.errors import ConfigError, StreamRecError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class KafkaOptions:
    """Where to write to, as the command line says it."""

    broker: str | None = None
    topic: str | None = None
    config_path: Path | None = None
    assignments: tuple[str, ...] = ()

    def load_settings(self) -> Settings:
        """Read the settings with these options on top.

        Raises
        ------
        ConfigError
            When a setting is unknown or out of range.
        """
        overrides: dict[str, object] = dict(parse_assignments(self.assignments, "--set"))
        if self.broker is not None:
            overrides["kafka.broker"] = self.broker
        if self.topic is not None:
            overrides["topics.events"] = self.topic
        return load_settings(self.config_path, overrides)


def kafka_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which Kafka and topic; the command gets them as ``kafka``."""

    @wraps(command)
    def with_kafka(
        broker: str | None,
        topic: str | None,
        config_path: Path | None,
        assignments: tuple[str, ...],
        **others: Any,
    ) -> Any:
        kafka = KafkaOptions(broker, topic, config_path, assignments)
        return command(kafka=kafka, **others)

    for option in (
        click.option("--debug", is_flag=True, expose_value=False, callback=_note_debug,
                     help="Show the traceback of an error."),
        click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE",
                     help="Override one setting; may be given several times."),
        click.option("--config", "config_path", envvar="STREAM_REC_CONFIG", metavar="PATH",
                     type=click.Path(path_type=Path, dir_okay=False),
                     help="TOML file with settings: TLS, SASL, topics, …"),
        click.option("--topic", help="Topic to write to.  [default: topics.events]"),
        click.option("--broker", metavar="HOST:PORT",
                     help="Address of Kafka.  [default: kafka.broker]"),
    ):  # fmt: skip
        with_kafka = option(with_kafka)
    return with_kafka


def _note_debug(ctx: click.Context, parameter: click.Parameter, debug: bool) -> None:
    ctx.meta[__name__] = debug


def parse_assignments(assignments: Sequence[str], option: str) -> dict[str, str]:
    """Split ``KEY=VALUE`` texts.

    Raises
    ------
    click.UsageError
        When a text is something else.

    Examples
    --------
    >>> parse_assignments(["buy=purchase"], "--map-type")
    {'buy': 'purchase'}
    """
    pairs = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{option} expected KEY=VALUE, got {assignment!r}")
        pairs[key.strip()] = value.strip()
    return pairs


def run(command: click.Command, argv: Sequence[str] | None, name: str) -> int:
    """Run a command and return its exit status; a user's mistake is one line, no traceback.

    SIGTERM interrupts as Ctrl-C does: what was sent is waited for, and where to resume is said.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = None if argv is None else list(argv)
    try:
        status = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return EXIT_INTERRUPTED
    return int(status or 0)


def report_errors(command: Callable[..., int]) -> Callable[..., None]:
    """Make a command end with the status it returns, and tell what must be mended in one line."""

    @wraps(command)
    def reporting(**options: Any) -> None:
        context = click.get_current_context()
        try:
            context.exit(command(**options))
        except StreamRecError as error:
            if context.meta.get(__name__):
                traceback.print_exception(error)
            click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
            context.exit(EXIT_USAGE if isinstance(error, ConfigError) else EXIT_FAILED)

    return reporting
