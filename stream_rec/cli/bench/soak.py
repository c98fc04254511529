"""``stream-rec bench soak``: one worker under load for a long time."""

from __future__ import annotations

from typing import IO

import click

from stream_rec.cli.bench.options import (
    COUNT,
    json_option,
    load_settings,
    population_options,
    report,
    show,
)
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options


@click.command(epilog=examples("stream-rec bench soak --broker localhost:9092 --minutes 30"))
@click.option(
    "--broker",
    required=True,
    metavar="HOST:PORT",
    help="A real Kafka (`make broker` runs one); topics of the run's own are made and deleted.",
)
@click.option(
    "--minutes", type=click.FloatRange(min=1), default=30.0, show_default=True, help="How long."
)
@click.option("--rate", type=COUNT, default=500, show_default=True, help="Events per second.")
@population_options(n_items=1_700, n_users=1_000)
@json_option
@common_options
@click.pass_obj
def soak(
    options: CommonOptions,
    broker: str,
    minutes: float,
    rate: int,
    n_items: int,
    n_users: int,
    json_file: IO[str] | None,
) -> None:
    """Memory, open files and lag of one worker under load, with bursts of ten times the rate.

    JSON: events, mib_per_million_events (second half), open_files_growth, burst_drained_s.
    """
    settings = load_settings(options, broker)
    from stream_rec.bench.events import Population
    from stream_rec.bench.soak import SoakPlan, measure_soak, result_of

    plan = SoakPlan(Population(n_users, n_items), minutes, rate)
    show(result_of(measure_soak(settings, plan, report)), json_file)
