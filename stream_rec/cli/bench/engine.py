"""``stream-rec bench engine``: the cost of an event, by step."""

from __future__ import annotations

from typing import IO

import click

from stream_rec.cli.bench.options import (
    COUNT,
    SECONDS,
    json_option,
    load_settings,
    population_options,
    report,
    show,
)
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options


@click.command(
    epilog=examples(
        "stream-rec bench engine",
        "stream-rec bench engine --items 10000 --json - | jq .ratio_river",
    )
)
@population_options(n_items=1_700, n_users=1_000)
@click.option(
    "--events",
    "n_events",
    type=COUNT,
    default=50_000,
    show_default=True,
    help="Events that are timed, after as many that are not.",
)
@click.option(
    "--peer-seconds",
    "peer_s",
    type=SECONDS,
    default=5.0,
    show_default=True,
    help="Processor time that each peer is given.",
)
@json_option
@common_options
@click.pass_obj
def engine(
    options: CommonOptions,
    n_items: int,
    n_users: int,
    n_events: int,
    peer_s: float,
    json_file: IO[str] | None,
) -> None:
    """Processor time of an event: decode, fold, rank, encode; beside river and plain numpy.

    JSON: us_per_event, items, ratio_river (river's time over ours), decode_us, fold_us, rank_us,
    encode_us, river_us, brute_force_us, bandwidth_bound_us.
    """
    settings = load_settings(options)
    from stream_rec.bench.engine import EnginePlan, measure_engine, result_of
    from stream_rec.bench.events import Population

    plan = EnginePlan(Population(n_users, n_items), n_events, peer_s)
    show(result_of(measure_engine(settings, plan, report)), json_file)
