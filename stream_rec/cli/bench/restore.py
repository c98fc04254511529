"""``stream-rec bench restore``: there for the first time, back from the changelogs, on a disk."""

from __future__ import annotations

from typing import IO

import click

from stream_rec.cli.bench.options import COUNT, json_option, load_settings, report, show
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options


@click.command(
    epilog=examples(
        "stream-rec bench restore --broker localhost:9092",
        "stream-rec bench restore --broker localhost:9092 --items 10000 --users 80000 --json -",
    )
)
@click.option(
    "--broker",
    required=True,
    metavar="HOST:PORT",
    help="A real Kafka (`make broker` runs one); topics of the run's own are made and deleted.",
)
@click.option(
    "--items",
    "n_items",
    type=COUNT,
    default=100_000,
    show_default=True,
    help="Items, two rows each.",
)
@click.option(
    "--users", "n_users", type=COUNT, default=800_000, show_default=True, help="Users, a row each."
)
@json_option
@common_options
@click.pass_obj
def restore(
    options: CommonOptions, broker: str, n_items: int, n_users: int, json_file: IO[str] | None
) -> None:
    """How fast a worker is there: new, without its disk, with it.

    New: a worker process without state, until its first list. Without its disk: its recovery reads
    the changelogs into empty stores. With it: a worker process starts on these stores. JSON:
    start_s, rows, rows_per_s, restore_s and restart_s (process start to serving).
    """
    settings = load_settings(options, broker)
    from stream_rec.bench.restore import RestorePlan, measure_restore, result_of

    show(result_of(measure_restore(settings, RestorePlan(n_items, n_users), report)), json_file)
