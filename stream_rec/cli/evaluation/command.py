"""The options of ``stream-rec evaluate`` and the order of its steps: read, compile, run, show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from producers.log_options import log_options
from stream_rec.cli.evaluation.loading import LoadedLog, load_log
from stream_rec.cli.evaluation.progress import show_steps
from stream_rec.cli.evaluation.tables import print_evaluation
from stream_rec.cli.evaluation.timing import (
    PREQUENTIAL,
    PROTOCOLS,
    Plan,
    new_run,
    run_timed,
    score_baseline,
    warm_up,
)
from stream_rec.cli.evaluation.tuning import SearchName, import_optuna, tune
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options
from stream_rec.config import Settings
from stream_rec.evaluation.baselines import (
    Baseline,
    choose_baselines,
    fit_for,
    with_best_popularity,
)
from stream_rec.evaluation.breakdown import groups_of
from stream_rec.evaluation.lists import list_metrics
from stream_rec.evaluation.peers import PEERS
from stream_rec.evaluation.result import (
    Evaluation,
    details,
    principal_k,
    score_ranks,
    with_rating_error,
)
from stream_rec.logs import LogOptions

ENGINE_NAME = "stream_rec"
LIST_EVERY = 8
"""One batch in so many has its lists ranked for the metrics of lists: that costs a ranking."""
K_MAX = 100
STANDARD_OUTPUT = "-"


class ListOfK(click.ParamType):
    """Several list lengths with commas between them."""

    name = "k,k,…"

    def convert(
        self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the lengths in ascending order, each once."""
        if isinstance(value, tuple):
            return value
        try:
            ks = tuple(sorted({int(part) for part in value.split(",")}))
        except ValueError:
            ks = ()
        if not ks or not 1 <= ks[0] <= ks[-1] <= K_MAX:
            self.fail(f"expected numbers from 1 to {K_MAX}, came {value!r}", parameter, ctx)
        return ks


class BaselineNames(click.ParamType):
    """Names of peers with commas between them, or all."""

    name = "all|name,name,…"

    def convert(
        self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None
    ) -> list[Baseline]:
        """Return the baselines to run."""
        if isinstance(value, list):
            return value
        try:
            return choose_baselines([name.strip() for name in value.split(",") if name.strip()])
        except KeyError as unknown:
            known = ", ".join(PEERS)
            self.fail(f"expected all, or some of {known}; came {unknown}", parameter, ctx)


def require_folder(ctx: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    """Refuse a file in a folder that is not there, before the long run and not after it."""
    if path is not None and not Path(path).parent.is_dir():
        raise click.BadParameter(f"expected an existing folder, came {path!r}", ctx, parameter)
    return path


@click.command(
    epilog=examples(
        "stream-rec evaluate ratings.csv",
        "stream-rec evaluate u.data --k 1,10,20 --json result.json",
        "stream-rec evaluate clicks.csv.gz --limit 100000 --baselines all",
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
    "(the log's users) of the last day, repeated items count.",
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
    json_path: str | None,
    with_details: bool,
) -> None:
    """Evaluate the recommender on a recorded event LOG; - is standard input.

    Every event first tests the model and then teaches it, from the first event on, against the full
    catalogue: an item that is not proposed is a miss. It is the engine that runs under Kafka, in
    this process.

    CSV, JSON Lines or Parquet, plain or packed (.gz .bz2 .xz .zst). The layouts of MovieLens,
    RetailRocket and yoochoose and the usual column names are recognised.
    """  # fmt: skip
    settings = options.load_settings()
    with show_steps("reading") as steps:
        loaded = load_log(log, how_to_read, settings.events, limit, steps)
    baselines = fit_for(baselines, loaded.columns)
    if delay_s and protocol != PREQUENTIAL:
        raise click.UsageError("expected --delay with the prequential protocol only")
    if n_workers > n_partitions:
        raise click.UsageError("expected at least as many --partitions as --workers")
    if n_workers > 1 and (delay_s or protocol != PREQUENTIAL):
        raise click.UsageError("expected --workers with the plain prequential protocol only")
    if search is not None:
        import_optuna()
        k = principal_k(ks)
        baselines = [tune(each, loaded.columns, k, search, n_trials) for each in baselines]
    plan = Plan(protocol, n_partitions, delay_s, 1 if all_lists else LIST_EVERY, n_workers)
    evaluation = run(settings, loaded, ks, plan, baselines)
    if json_path != STANDARD_OUTPUT:
        print_evaluation(Console(), loaded, evaluation)
    if json_path is not None:
        extra = {"details": details(evaluation)} if with_details else {}
        write_json(json_path, evaluation.to_json() | extra)


def run(
    settings: Settings,
    loaded: LoadedLog,
    ks: tuple[int, ...],
    plan: Plan,
    baselines: list[Baseline],
) -> Evaluation:
    """Run the engine and the baselines over a log and measure."""
    columns = loaded.columns
    n_events = len(columns.user)
    warm_up(settings, columns, plan)
    prequential = new_run(settings, columns, plan)
    us_per_event = run_timed(ENGINE_NAME, prequential.run(), n_events)
    scored = prequential.log
    engine = score_ranks(ENGINE_NAME, prequential.rank, scored, ks, us_per_event)
    if not plan.delay_s:  # else a rating is predicted when it is learned, too late for a test
        engine = with_rating_error(engine, prequential.expected, scored)
    evaluation = Evaluation(
        log=loaded.path,
        protocol=plan.title,
        ks=ks,
        n_events=n_events,
        n_scored=int(scored.is_scored.sum()),
        engine=engine,
        lists=list_metrics(prequential.lists, columns),
        n_lists=prequential.lists.n_lists,
        user=scored.user[scored.is_scored],
        groups=tuple(groups_of(scored)),
    )
    scores = [score_baseline(baseline, columns, ks, plan.protocol) for baseline in baselines]
    return replace(evaluation, baselines=tuple(with_best_popularity(scores, evaluation.k)))


def write_json(path: str, figures: dict[str, Any]) -> None:
    """Write figures to a file or to standard output."""
    text = msgspec.json.format(msgspec.json.encode(figures), indent=2).decode()
    if path == STANDARD_OUTPUT:
        click.echo(text)
    else:
        Path(path).write_text(f"{text}\n", encoding="utf-8")
