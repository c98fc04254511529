"""``stream-rec bench hostile``: loads made to hurt."""

from __future__ import annotations

from typing import IO

import click

from stream_rec.cli.bench.options import COUNT, json_option, load_settings, report, show
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options


@click.command(epilog=examples("stream-rec bench hostile --events 1000000"))
@click.option(
    "--events",
    "n_events",
    type=COUNT,
    default=300_000,
    show_default=True,
    help="Events of each load.",
)
@json_option
@common_options
@click.pass_obj
def hostile(options: CommonOptions, n_events: int, json_file: IO[str] | None) -> None:
    """Time and memory of the engine under one user, one item, endless new items, one partition.

    JSON: a list of load, events, us_per_event, resident_mib.
    """
    settings = load_settings(options)
    from stream_rec.bench.hostile import measure_hostile, result_of

    show(result_of(measure_hostile(settings, n_events, report)), json_file)
