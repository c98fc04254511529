"""What the bench commands share: their options, and what is printed where."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from stream_rec.cli.options import CommonOptions
from stream_rec.errors import ConfigError

if TYPE_CHECKING:
    from stream_rec.bench.result import Result
    from stream_rec.config import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

EXTRA_MODULES = ("hdrh", "matplotlib", "psutil")

PLAIN_WIDTH = 140
"""Characters in a line where no terminal says how many it has."""

SECONDS = click.FloatRange(min=0.1)
COUNT = click.IntRange(min=1)

json_option = click.option(
    "--json",
    "json_file",
    type=click.File("w", lazy=True),
    metavar="FILE|-",
    help="Write the figures as JSON; with - the table goes to standard error.",
)
broker_option = click.option(
    "--broker",
    default="embedded",
    show_default=True,
    metavar="embedded|HOST:PORT",
    help="The broker to measure on; on a real one, topics of the run's own are made and deleted.",
)


def seconds_option(text: str) -> Callable[[Command], Command]:
    """Add --seconds, how long something is measured; ``text`` says what."""
    return click.option("--seconds", type=SECONDS, default=10.0, show_default=True, help=text)


def population_options(n_items: int, n_users: int) -> Callable[[Command], Command]:
    """Add --items and --users, the size of the synthetic population."""

    def add(command: Command) -> Command:
        for name, count in (("items", n_items), ("users", n_users)):
            command = click.option(
                f"--{name}",
                f"n_{name}",
                type=COUNT,
                default=count,
                show_default=True,
                metavar="N",
                help=f"Number of synthetic {name}, drawn by Zipf's law.",
            )(command)
        return command

    return add


def load_settings(options: CommonOptions, broker: str | None = None) -> Settings:
    """Read the settings, after a look whether what the benches need is installed.

    Raises
    ------
    ConfigError
    """
    missing = [name for name in EXTRA_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"expected the packages of the extra `bench`, {', '.join(missing)} missing; "
            "install them: pip install 'stream-rec[bench]'"
        )
    overrides = {} if broker is None else {"kafka.broker": broker}
    return options.with_overrides(overrides).load_settings()


def report(doing: str) -> None:
    """Tell what is being done, on standard error."""
    click.echo(f"… {doing}", err=True)


def show(result: Result, json_file: IO[str] | None) -> None:
    """Print the table, and the figures where they are wanted."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*result.columns, title=result.title, title_justify="left", box=box.SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in result.rows:
        table.add_row(*row)
    to_stdout = json_file is not None and json_file.name == "-"
    console = Console(stderr=to_stdout)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(table)
    if json_file is not None:
        json_file.write(json.dumps(result.figures) + "\n")
