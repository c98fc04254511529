"""``stream-rec bench latency``: from event to list at a given rate, beside Kafka's round trip."""

from __future__ import annotations

from typing import IO

import click

from stream_rec.cli.bench.options import (
    COUNT,
    broker_option,
    json_option,
    load_settings,
    population_options,
    report,
    seconds_option,
    show,
)
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options


@click.command(
    epilog=examples(
        "stream-rec bench latency --rate 500",
        "stream-rec bench latency --broker localhost:9092 --json latency.json",
    )
)
@broker_option
@click.option(
    "--rate",
    "rates",
    type=COUNT,
    multiple=True,
    metavar="R",
    help="Events per second; may be given several times.  [default: 100, 1000, 5000, 10000]",
)
@click.option(
    "--history",
    type=click.IntRange(min=0),
    default=20_000,
    show_default=True,
    metavar="N",
    help="Events that the worker has learned before.",
)
@seconds_option("How long each rate is measured, after a second of warm-up.")
@population_options(n_items=1_700, n_users=1_000)
@json_option
@common_options
@click.pass_obj
def latency(
    options: CommonOptions,
    broker: str,
    rates: tuple[int, ...],
    history: int,
    seconds: float,
    n_items: int,
    n_users: int,
    json_file: IO[str] | None,
) -> None:
    """From event to list at a subscriber, beside the bare Kafka round trip at the same rate.

    An open loop: latency counts from when an event was due by the schedule, whatever became of the
    events before it. JSON: rate, p50_ms, p99_ms, round_trip_p50_ms; a list of these for several
    rates.
    """
    settings = load_settings(options, broker)
    from stream_rec.bench.events import Population
    from stream_rec.bench.latency import RATES, WARM_UP_S, LatencyPlan, measure_latency, result_of

    plan = LatencyPlan(Population(n_users, n_items), history, WARM_UP_S, seconds)
    measured = list(measure_latency(settings, plan, rates or RATES, report))
    show(result_of(measured), json_file)
