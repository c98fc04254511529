"""The options of ``stream-rec evaluate`` and the order of its steps: read, compile, run, show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from producers.log_options import log_options
from stream_rec.cli.evaluation.loading import DROPPABLE, load_log
from stream_rec.cli.evaluation.parameters import (
    BaselineNames,
    Droppable,
    ListOfK,
    require_file,
    require_finite,
    require_folder,
)
from stream_rec.cli.evaluation.progress import show_steps
from stream_rec.cli.evaluation.running import run
from stream_rec.cli.evaluation.tables import print_evaluation
from stream_rec.cli.evaluation.timing import PREQUENTIAL, PROTOCOLS, new_plan
from stream_rec.cli.evaluation.tuning import SearchName, import_optuna, tune
from stream_rec.cli.evaluation.without import features_left_out, without_option
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options
from stream_rec.evaluation.baselines import Baseline, fit_for
from stream_rec.evaluation.report.page import page
from stream_rec.evaluation.result import details, principal_k
from stream_rec.logs import LogOptions

STANDARD_OUTPUT = "-"


@click.command(
    epilog=examples(
        "stream-rec evaluate ratings.csv",
        "stream-rec evaluate u.data --k 1,10,20 --json result.json",
        "stream-rec evaluate clicks.csv.gz --limit 100000 --baselines all --report report.html",
        "stream-rec evaluate sales.parquet --user-column customer --type purchase",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("log")
@click.option(
    "--k",
    "ks",
    type=ListOfK(),
    default="1,10,20",
    show_default=True,
    help="List lengths at which to measure; models are compared at 10 if it is there.",
)
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default=PREQUENTIAL,
    show_default=True,
    help="prequential: every event, items new to the user. session: the next item in sessions "
    "(the log's users) of the last day, repeated items count. split: learn 90 % (the last tenth "
    "of all before is for --tune), freeze, test on the rest.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the first N usable events of the file.",
)
@click.option(
    "--partitions",
    "n_partitions",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Learn in as many partitions and merge them, as N workers would.",
)
@click.option(
    "--workers",
    "n_workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Share the partitions among so many engines that see each other's rows only once in "
    "worker.commit_interval_s of event time, or after worker.commit_events_max events.",
)
@click.option(
    "--delay",
    "delay_s",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    callback=require_finite,
    metavar="SECONDS",
    help="Learn every event so much later than it happens: 86400 is a nightly batch.",
)
@click.option(
    "--all-lists",
    is_flag=True,
    help="Measure coverage and diversity on every list, not on one in eight (slower).",
)
@click.option(
    "--baselines",
    type=BaselineNames(),
    default="",
    help="Models of the literature to run on the same events: all, or names with commas between "
    "them. A wrong name lists them.",
)
@click.option(
    "--tune",
    "search",
    type=click.Choice(["tpe", "random", "grid"]),
    help="First choose each baseline's parameters on the first 20 % of the log (needs Optuna).",
)
@click.option(
    "--trials",
    "n_trials",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    metavar="N",
    help="Runs that --tune may take for each baseline.",
)
@without_option
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True),
    callback=require_folder,
    metavar="FILE",
    help="Write the figures as JSON; - is standard output, and the table is left out.",
)
@click.option(
    "--details",
    "with_details",
    is_flag=True,
    help="Add a key with every k, confidence intervals and groups of events to the JSON.",
)
@click.option(
    "--report",
    "report_path",
    type=click.Path(dir_okay=False, writable=True),
    callback=require_file,
    metavar="FILE",
    help="Write one HTML page with pictures of everything; it needs nothing beside it.",
)
@click.option(
    "--drop",
    type=Droppable(),
    default="",
    help=f"Leave out of the log: some of {', '.join(DROPPABLE)}. They are told in any case.",
)
@log_options
@common_options
@click.pass_obj
def evaluate(
    options: CommonOptions,
    log: str,
    how_to_read: LogOptions,
    ks: tuple[int, ...],
    limit: int | None,
    protocol: str,
    n_partitions: int,
    n_workers: int,
    delay_s: float,
    all_lists: bool,
    baselines: list[Baseline],
    search: SearchName | None,
    n_trials: int,
    without: str,
    json_path: str | None,
    with_details: bool,
    report_path: str | None,
    drop: tuple[str, ...],
) -> None:
    """Evaluate the recommender on a recorded event LOG; - is standard input.

    Every event first tests the model and then teaches it, from the first event on, against the full
    catalogue: an item that is not proposed is a miss. It is the engine that runs under Kafka, in
    this process.

    CSV, JSON Lines or Parquet, plain or packed (.gz .bz2 .xz .zst). The layouts of MovieLens,
    RetailRocket and yoochoose and the usual column names are recognised.
    """  # fmt: skip
    settings = options.load_settings()
    if delay_s and protocol != PREQUENTIAL:
        raise click.UsageError("expected --delay with the prequential protocol only")
    if n_workers > n_partitions:
        raise click.UsageError("expected at least as many --partitions as --workers")
    if n_workers > 1 and (delay_s or protocol != PREQUENTIAL):
        raise click.UsageError("expected --workers with the plain prequential protocol only")
    with show_steps("reading") as steps:
        loaded = load_log(log, how_to_read, settings.events, limit, steps, drop)
    baselines, left_out = fit_for(baselines, loaded.columns)
    if search is not None:
        import_optuna()
        k = principal_k(ks)
        baselines = [
            tune(each, loaded.columns, k, search, n_trials, protocol) for each in baselines
        ]
    plan = new_plan(
        protocol,
        n_partitions,
        n_workers,
        delay_s,
        all_lists,
        report_path is not None,
        len(loaded.columns.user),
        features_left_out(without, settings.model.half_lives_s),
    )
    chosen = {"protocol": plan.title, "partitions": str(n_partitions), "tuning": search or "none"}
    findings = run(settings, loaded, ks, plan, baselines, chosen, left_out)
    evaluation = findings.evaluation
    if json_path != STANDARD_OUTPUT:
        print_evaluation(Console(), loaded, evaluation)
    if report_path is not None:
        Path(report_path).write_text(page(findings), encoding="utf-8")
    if json_path is not None:
        extra = {"details": details(evaluation)} if with_details else {}
        write_json(json_path, evaluation.to_json() | extra)


def write_json(path: str, figures: dict[str, Any]) -> None:
    """Write figures to a file or to standard output."""
    text = msgspec.json.format(msgspec.json.encode(figures), indent=2).decode()
    if path == STANDARD_OUTPUT:
        click.echo(text)
    else:
        Path(path).write_text(f"{text}\n", encoding="utf-8")
