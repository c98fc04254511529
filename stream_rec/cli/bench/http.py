"""``stream-rec bench http``: the HTTP service beside a bare FastAPI endpoint."""

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
        "stream-rec bench http --seconds 3",
        "stream-rec bench http --broker localhost:9092 --json -",
    )
)
@broker_option
@click.option(
    "--rate",
    type=COUNT,
    default=1_000,
    show_default=True,
    metavar="R",
    help="Requests per second at which latency is measured.",
)
@click.option(
    "--events-rate",
    type=COUNT,
    default=2_000,
    show_default=True,
    metavar="R",
    help="Events per second that flow meanwhile.",
)
@click.option(
    "--history",
    type=COUNT,
    default=20_000,
    show_default=True,
    metavar="N",
    help="Events that the worker has learned before.",
)
@seconds_option("How long each measurement takes.")
@population_options(n_items=1_700, n_users=1_000)
@json_option
@common_options
@click.pass_obj
def http(
    options: CommonOptions,
    broker: str,
    rate: int,
    events_rate: int,
    history: int,
    seconds: float,
    n_items: int,
    n_users: int,
    json_file: IO[str] | None,
) -> None:
    """Requests/s beside a bare FastAPI endpoint, latency while events flow, event posted → list.

    Needs wrk. Latencies are those of an open loop: they count from when a request was due. JSON:
    requests_per_s, ratio_bare, p90_ms, p99_ms, post_to_list_p50_ms, and what else the table shows.
    """
    settings = load_settings(options, broker)
    try:
        from stream_rec.bench.http import HttpPlan, measure_http, result_of
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the HTTP service needs {error.name}; install it with: "
            "pip install 'stream-rec[serve,bench]'"
        ) from error
    from stream_rec.bench.events import Population

    plan = HttpPlan(Population(n_users, n_items), history, rate, events_rate, seconds)
    show(result_of(measure_http(settings, plan, report)), json_file)
