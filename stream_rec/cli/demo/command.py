"""``stream-rec demo``: watch it learn."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from stream_rec.cli.demo.words import Titles


@click.command(
    epilog=examples(
        "stream-rec demo",
        "stream-rec demo --web",
        "stream-rec demo --rate 3000",
        "stream-rec demo --events 5000 --plain",
    )
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1, max=100_000),
    default=1000.0,
    show_default=True,
    metavar="N",
    help="Events a second.",
)
@click.option(
    "--events",
    "n_events",
    type=click.IntRange(min=1, max=20_000),
    default=20_000,
    show_default=True,
    metavar="N",
    help="Events to replay, of the 20,000 in the sample.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    default=180.0,
    show_default=True,
    metavar="S",
    help="Give up after so many seconds.",
)
@click.option(
    "--save-svg",
    "svg_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Save the screen, as it was towards the end of the replay, as a picture.",
)
@click.option("--web", is_flag=True, help="Keep the live page open until Ctrl-C.")
@click.option("--plain", is_flag=True, help="Plain lines, as without a terminal.")
@common_options
@click.pass_obj
def demo(
    options: CommonOptions,
    rate: float,
    n_events: int,
    time_limit: float,
    svg_path: Path | None,
    web: bool,
    plain: bool,
) -> None:
    """Watch it learn from 20,000 film ratings; ends by itself.

    Starts a Kafka broker in memory, a worker, a kafka-python producer and the HTTP service,
    replays recorded film ratings, and shows what comes out; the address of the live page is shown
    while it runs. Nothing to install, nothing is left.

    Latency is measured from the producer's send to the list being here. HR@10 is the share of
    users' next films that were in the list they had; plain popularity is counted on the same ones.
    """
    from rich.console import Console

    from stream_rec.cli.demo.run import Demo, DemoPlan
    from stream_rec.cli.demo.summary import summary
    from stream_rec.cli.demo.views import open_view, save_picture

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    console = Console(force_terminal=False if plain else None)
    plan = DemoPlan(n_events, rate, time_limit, web)
    titles = load_sample_titles()
    with open_view(console, titles) as show:
        result = Demo(options, plan, show).run()
    console.print(summary(result.last, titles, result.replay_s, console.width))
    if svg_path is not None:
        save_picture(result.during_replay, titles, svg_path)


def load_sample_titles() -> Titles:
    """Read the titles of the bundled films."""
    from stream_rec.cli.demo.words import Titles
    from stream_rec.data import load_titles

    titles = load_titles()
    return Titles(
        {item: str(title) for item, title in titles.items()},
        {item: title.name for item, title in titles.items()},
    )
