"""``stream-rec bench rolling``: what a rolling restart interrupts."""

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


@click.command(epilog=examples("stream-rec bench rolling --broker localhost:9092"))
@click.option(
    "--broker",
    required=True,
    metavar="HOST:PORT",
    help="A real Kafka (`make broker` runs one); topics of the run's own are made and deleted.",
)
@click.option("--workers", type=COUNT, default=3, show_default=True, help="Worker processes.")
@click.option("--rate", type=COUNT, default=500, show_default=True, help="Events per second.")
@population_options(n_items=1_700, n_users=1_000)
@json_option
@common_options
@click.pass_obj
def rolling(
    options: CommonOptions,
    broker: str,
    workers: int,
    rate: int,
    n_items: int,
    n_users: int,
    json_file: IO[str] | None,
) -> None:
    """How long each partition stands still while all workers are restarted in turn.

    JSON: interruption_s_max, interruption_s (by partition), undisturbed_s_max, rolling_restart_s.
    """
    settings = load_settings(options, broker)
    from stream_rec.bench.events import Population
    from stream_rec.bench.rolling import RollingPlan, measure_rolling, result_of

    plan = RollingPlan(Population(n_users, n_items), workers, rate)
    show(result_of(measure_rolling(settings, plan, report)), json_file)
