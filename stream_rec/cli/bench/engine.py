"""``stream-rec bench engine``: the cost of an event, by step."""

from __future__ import annotations

from typing import IO

import click
from click.core import ParameterSource

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
        "stream-rec bench engine --log ratings.csv",
    )
)
@population_options(n_items=1_700, n_users=1_000)
@click.option(
    "--log",
    metavar="LOG",
    help="Events of a recorded log, in the order of time, instead of synthetic ones.",
)
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
    log: str | None,
    n_events: int,
    peer_s: float,
    json_file: IO[str] | None,
) -> None:
    """Processor time of an event: decode, fold, rank, encode; beside river and plain numpy.

    JSON: us_per_event, items, ratio_river (river's time over ours), decode_us, fold_us, rank_us,
    encode_us, river_us, brute_force_us, bandwidth_bound_us.
    """
    if log is not None and _is_given("n_items", "n_users"):
        raise click.UsageError("expected --items and --users without --log, came both")
    settings = load_settings(options)
    from stream_rec.bench.engine import EnginePlan, measure_engine, result_of
    from stream_rec.bench.events import Population, synthetic_traffic

    if log is None:
        traffic = synthetic_traffic(Population(n_users, n_items), 2 * n_events)
    else:
        from stream_rec.cli.bench.recorded import recorded_traffic

        traffic = recorded_traffic(log, settings.events, 2 * n_events)
    show(result_of(measure_engine(settings, EnginePlan(traffic, peer_s), report)), json_file)


def _is_given(*parameters: str) -> bool:
    """Tell whether any of these options stands on the command line."""
    context = click.get_current_context()
    return any(
        context.get_parameter_source(parameter) is not ParameterSource.DEFAULT
        for parameter in parameters
    )
