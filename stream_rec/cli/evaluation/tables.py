"""An evaluation as tables for people: the log and what was cleaned, metrics by k, baselines."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_rec.cli.evaluation.loaded import LoadedLog, cleaning_lines, log_summary
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
    if evaluation.left_out:
        console.print(Text(evaluation.left_out_line, style="yellow"))
    if len(evaluation.ks) > 1:
        console.print(lengths_table(evaluation))
    if evaluation.groups:
        console.print(groups_table(evaluation))
    console.print(lists_summary(evaluation))


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
