"""``stream-rec status``: how an application is, on one screen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from stream_rec.cli.status.group import GroupStatus
    from stream_rec.settings import Settings


@click.command(
    epilog=examples(
        "stream-rec status",
        "stream-rec status --watch",
        "stream-rec status --worker app-1:6066 --worker app-2:6066",
        "stream-rec status --json | jq .lag",
    )
)
@click.option(
    "--worker",
    "addresses",
    multiple=True,
    metavar="HOST:PORT",
    help="Ask this worker's web server; default: every member's host, at worker.web_port.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="Time over which rates are measured.",
)
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a screen.")
@common_options
@click.pass_obj
def status(
    options: CommonOptions, addresses: tuple[str, ...], seconds: float, watch: bool, as_json: bool
) -> None:
    """Show group, lag, rates, state sizes, staleness and last commits.

    Kafka is asked about the group and the topics, and workers, where their web server is enabled,
    about themselves.
    """
    settings = options.load_settings()
    while True:
        _show(settings, addresses, seconds, watch, as_json)
        if not watch:
            return


def _show(
    settings: Settings, addresses: tuple[str, ...], seconds: float, clear: bool, as_json: bool
) -> None:
    from rich.console import Console

    from stream_rec.cli.status.group import look_at_group
    from stream_rec.cli.status.screen import render
    from stream_rec.cli.status.workers import look_at_workers

    group = look_at_group(settings, seconds)
    workers = look_at_workers(addresses or addresses_of(settings, group))
    if as_json:
        answers = [worker._asdict() for worker in workers]
        found = {"app_id": settings.app_id, **group.as_json(), "workers": answers}
        click.echo(json.dumps(found))
        return
    console = Console()
    if clear:
        console.clear()
    console.print(render(settings, group, workers, time.time()))


def addresses_of(settings: Settings, group: GroupStatus) -> list[str]:
    """Return where the members of a group would answer."""
    hosts = sorted({member.host for member in group.members})
    return [f"{host}:{settings.worker.web_port}" for host in hosts]
