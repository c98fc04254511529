"""An evaluation as tables for people: the log and what was cleaned, metrics by k, baselines."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_rec.cli.evaluation.loading import LoadedLog
from stream_rec.evaluation.cleaning import FLOOD_EVENTS
from stream_rec.evaluation.intervals import interval_text
from stream_rec.evaluation.result import Evaluation, Score, group_hit_rate

DRIFTS_SHOWN = 3
METRIC_WORDS = {"hr": "HR", "ndcg": "NDCG", "mrr": "MRR"}
LIST_WORDS = {
    "coverage": "coverage",
    "gini": "Gini",
    "novelty": "novelty (bits)",
    "intra_list_diversity": "intra-list diversity",
    "personalisation": "personalisation",
}


def print_evaluation(console: Console, loaded: LoadedLog, evaluation: Evaluation) -> None:
    """Print everything that was found."""
    console.print(Text(loaded.path, style="bold").append(f"  {log_summary(loaded)}", "default"))
    for line in cleaning_lines(loaded):
        console.print(Text(line, style="yellow"))
    console.print()
    console.print(scores_table(evaluation))
    if len(evaluation.ks) > 1:
        console.print(lengths_table(evaluation))
    if evaluation.groups:
        console.print(groups_table(evaluation))
    console.print(lists_summary(evaluation))


def log_summary(loaded: LoadedLog) -> str:
    """Return one line on the size and time of the log."""
    log = loaded.columns
    first, last = (_day(seconds) for seconds in (log.time_s[0], log.time_s[-1]))
    return (
        f"{len(log.user):,} events, {len(log.users):,} users, {len(log.items):,} items, "
        f"{first} to {last}, read as {loaded.layout}"
    )


def cleaning_lines(loaded: LoadedLog) -> list[str]:
    """Return what was found wrong with the log, and what was done about it."""
    found = loaded.cleaning
    lines = list(loaded.notes)
    if loaded.n_bad_rows:
        lines.append(f"{loaded.n_bad_rows:,} rows that cannot be read, left out")
        lines += [f"  {error}" for error in loaded.first_bad_rows]
    for code, n in found.refused.items():
        lines.append(f"{n:,} events refused ({code}), left out: {found.first_refusal[code]}")
    if found.n_ignored:
        lines.append(f"{found.n_ignored:,} events of unknown types, ignored as configured")
    if found.n_forgets:
        lines.append(f"{found.n_forgets:,} requests to be forgotten, not followed here")
    if loaded.n_without_value:
        lines.append(f"{loaded.n_without_value:,} events without a rating, taken as views")
    if found.n_without_time:
        lines.append(
            f"{found.n_without_time:,} events without a time, taken at that of the one before"
        )
    if found.n_out_of_order:
        lines.append(f"{found.n_out_of_order:,} events earlier than the one before, sorted by time")
    if found.far_times.n_events:
        n, *others = found.far_times
        first, last = (_day(seconds) for seconds in others)
        lines.append(
            f"{n:,} events at times far from all others, which are from {first} to {last}; kept"
        )
    if found.n_known_ids:
        line = f"{found.n_known_ids:,} events with an event id that their user had shortly before"
        lines.append(f"{line}, left out as the pipeline drops them")
        if found.has_poor_ids:
            lines.append(
                "  event ids are hardly unique: are they ids of something else? "
                "--set events.duplicate_window=0 takes no notice of them"
            )
    if found.n_repeated:
        done = "left out" if found.drops_repeated else "kept"
        lines.append(f"{found.n_repeated:,} events exactly like an earlier one, {done}")
    if found.n_bots:
        done = "left out" if found.drops_bots else "kept"
        lines.append(
            f"{found.n_bots:,} users with {FLOOD_EVENTS} events or more within a minute (bots, "
            f"imports), {found.n_bot_events:,} events in all, {done}"
        )
    return lines


def scores_table(evaluation: Evaluation) -> Table:
    """Return the metrics of the engine and of every baseline, the best hit rate first."""
    k = evaluation.k
    table = Table(
        title=f"{evaluation.protocol}: {evaluation.n_scored:,} events scored, full catalogue",
        title_justify="left",
        header_style="bold",
    )
    table.add_column("model", overflow="fold")
    for words in METRIC_WORDS.values():
        table.add_column(f"{words}@{k}", justify="right")
    table.add_column(f"HR@{k} 95 %", justify="right", no_wrap=True)
    table.add_column("µs/event", justify="right")
    table.add_column("MB", justify="right")
    models = [evaluation.engine, *evaluation.baselines]
    best = max(score.by_k[k]["hr"] for score in models)
    for score in sorted(models, key=lambda score: -score.by_k[k]["hr"]):
        is_best = len(models) > 1 and score.by_k[k]["hr"] == best
        style = "bold" if score is evaluation.engine else ""
        table.add_row(*_row(score, k, is_best), style=style)
    return table


def _row(score: Score, k: int, is_best: bool) -> list[str]:
    name = f"{score.name} (tuned)" if score.tuned else score.name
    values = [f"{score.by_k[k][metric]:.4f}" for metric in METRIC_WORDS]
    if score.rating_error is not None:
        name += f" (RMSE {score.rating_error.rmse:.3f}, MAE {score.rating_error.mae:.3f})"
    interval = interval_text(score.intervals.get(k))
    return [
        f"{name} ◀ best" if is_best else name,
        *values,
        interval,
        f"{score.us_per_event:,.1f}",
        f"{score.memory_bytes / 1e6:,.1f}",
    ]


def groups_table(evaluation: Evaluation) -> Table:
    """Return the hit rates by history, item age and time, beside those of the best baseline."""
    k, best = evaluation.k, evaluation.best_baseline
    models = [evaluation.engine, *([best] if best else [])]
    table = Table(title=f"HR@{k} by group", title_justify="left", header_style="bold")
    table.add_column("group")
    table.add_column("scored", justify="right")
    for score in models:
        table.add_column(score.name, justify="right")
    kinds = [group.kind for group in evaluation.groups]
    for group, next_kind in zip(evaluation.groups, [*kinds[1:], ""], strict=True):
        table.add_row(
            f"{group.kind}: {group.name}",
            f"{group.members.sum():,}",
            *(f"{group_hit_rate(score, group, k):.4f}" for score in models),
            end_section=group.kind != next_kind,
        )
    return table


def lengths_table(evaluation: Evaluation) -> Table:
    """Return the engine's metrics at every k."""
    table = Table(title=f"{evaluation.engine.name} by k", title_justify="left", header_style="bold")
    table.add_column("k", justify="right")
    for words in METRIC_WORDS.values():
        table.add_column(words, justify="right")
    for k, metrics in evaluation.engine.by_k.items():
        table.add_row(str(k), *(f"{metrics[metric]:.4f}" for metric in METRIC_WORDS))
    return table


def lists_summary(evaluation: Evaluation) -> Text:
    """Return one or two lines on the lists shown and on the margin over the best baseline."""
    values = "  ".join(
        f"{LIST_WORDS[name]} {value:.3f}" for name, value in evaluation.lists.items()
    )
    rate = 1e6 / evaluation.engine.us_per_event
    text = Text(f"{rate:,.0f} events/s; of {evaluation.n_lists:,} lists: {values}")
    if evaluation.drifts:
        at = ", ".join(
            f"{drift.event:,} ({drift.before:.3f} → {drift.after:.3f})"
            for drift in evaluation.drifts[-DRIFTS_SHOWN:]
        )
        n = len(evaluation.drifts)
        text.append(f"\n{n} changes of the hit rate, the latest at scored event {at}")
    best = evaluation.best_baseline
    if best is not None and evaluation.ratio is not None:
        text.append(
            f"\n{evaluation.ratio:.3f} × the best baseline, {best.name} "
            f"(95 %: {interval_text(evaluation.ratio_interval, 3)})",
            style="bold",
        )
    return text


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
