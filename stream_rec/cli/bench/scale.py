"""``stream-rec bench scale``: cost and memory by size."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from stream_rec.cli.bench.options import COUNT, json_option, load_settings, report, show
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

SIZES = (1_000, 10_000, 100_000, 1_000_000)
WORKERS = (1, 2)
N_BACKLOGS = 2
"""Events that workers are measured with, for each that is timed in process."""


@click.command(
    epilog=examples(
        "stream-rec bench scale --size 1000 --size 100000",
        "stream-rec bench scale --picture growth.svg",
    )
)
@click.option(
    "--size",
    "sizes",
    type=COUNT,
    multiple=True,
    default=SIZES,
    show_default=True,
    metavar="N",
    help="Number of items, and of users; may be given several times.",
)
@click.option(
    "--events", "n_events", type=COUNT, default=20_000, show_default=True, help="Events timed."
)
@click.option(
    "--broker",
    metavar="HOST:PORT",
    help="A real Kafka, to measure events/s with 1 and with 2 workers, too.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Draw the curves: .svg or .png.",
)
@json_option
@common_options
@click.pass_obj
def scale(
    options: CommonOptions,
    sizes: tuple[int, ...],
    n_events: int,
    broker: str | None,
    picture: Path | None,
    json_file: IO[str] | None,
) -> None:
    """Cost of an event and memory by the number of items and users.

    JSON: us_per_event, bytes_per_item (memory), bytes_per_user (disk), resident_mib, each by size;
    events_per_s by number of workers.
    """
    settings = load_settings(options, broker)
    from stream_rec.bench.events import Population
    from stream_rec.bench.group import GroupPlan, measure_group
    from stream_rec.bench.scale import ScalePlan, measure_scale, result_of

    figures = measure_scale(settings, ScalePlan(sizes, n_events), report)
    events_per_s = {}
    if broker is not None:
        population = Population(min(sizes), min(sizes))
        plan = GroupPlan(population, WORKERS, N_BACKLOGS * n_events)
        events_per_s = measure_group(settings, plan, report)
    show(result_of(figures, events_per_s), json_file)
    if picture is not None:
        from stream_rec.bench.growth import draw_growth

        draw_growth(figures, picture)
