"""``stream-rec bench pipeline``: one worker on Kafka, beside peers that only forward."""

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
        "stream-rec bench pipeline",
        "stream-rec bench pipeline --broker localhost:9092 --events 500000 --json -",
    )
)
@broker_option
@click.option("--events", type=COUNT, default=200_000, show_default=True, help="Backlog to read.")
@seconds_option("How long each contestant is measured at most.")
@population_options(n_items=1_700, n_users=1_000)
@json_option
@common_options
@click.pass_obj
def pipeline(
    options: CommonOptions,
    broker: str,
    events: int,
    seconds: float,
    n_items: int,
    n_users: int,
    json_file: IO[str] | None,
) -> None:
    """One worker, a list published per event, beside Faust, aiokafka and confluent-kafka.

    All read the same backlog on the same broker, one after the other. The peers forward each event
    and compute nothing. JSON: events_per_s, ratio_faust_forwarder, ratio_confluent_loop and
    overhead_us (processor time of the worker minus that of the engine, µs an event).
    """
    settings = load_settings(options, broker)
    from stream_rec.bench.events import Population
    from stream_rec.bench.pipeline import PipelinePlan, measure_pipeline, result_of

    plan = PipelinePlan(Population(n_users, n_items), events, seconds)
    show(result_of(measure_pipeline(settings, plan, report)), json_file)
