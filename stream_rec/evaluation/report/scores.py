"""The figures of a report: who won and by how much, the engine's tiles, the table of all models."""

from __future__ import annotations

import html
from collections.abc import Mapping

from stream_rec.evaluation.intervals import interval_text
from stream_rec.evaluation.result import Evaluation, Score

METRICS = {"hr": "HR", "ndcg": "NDCG", "mrr": "MRR"}


def verdict(evaluation: Evaluation) -> str:
    """Say in one sentence who won, and whether it is more than chance."""
    engine, best, ratio = evaluation.engine, evaluation.best_baseline, evaluation.ratio
    k = evaluation.k
    own = engine.by_k[k]["hr"]
    if best is None:
        words = f"HR@{k} {own:.4f}. No baseline ran beside it: --baselines all compares."
        return f'<p class="verdict">{words}</p>'
    beside = f"HR@{k} {own:.4f} against {best.by_k[k]['hr']:.4f} of {html.escape(best.name)}"
    if ratio is None:
        return f'<p class="verdict">{beside}, the best baseline.</p>'
    interval = evaluation.ratio_interval
    if interval is None:
        words = f"{beside}: {ratio:.3f} × the best baseline. One user does not tell chance."
        return f'<p class="verdict">{words}</p>'
    low, high = interval
    beside = (
        f"HR@{k} {own:.4f} against {best.by_k[k]['hr']:.4f}: {ratio:.3f} × the best baseline, "
        f"{html.escape(best.name)} (95 %: {interval_text(interval, 3)})."
    )
    name = html.escape(engine.name)
    if low > 1.0:
        return f'<p class="verdict won"><b>{name} wins.</b> {beside}</p>'
    if high < 1.0:
        return f'<p class="verdict lost"><b>{html.escape(best.name)} wins.</b> {beside}</p>'
    return f'<p class="verdict"><b>Too close to call.</b> {beside}</p>'


def tiles(evaluation: Evaluation) -> str:
    """Return the engine's main figures."""
    engine, k = evaluation.engine, evaluation.k
    figures = [(f"{words}@{k}", f"{engine.by_k[k][key]:.4f}") for key, words in METRICS.items()]
    figures += [
        (name.replace("_", " "), f"{value:.3f}") for name, value in evaluation.lists.items()
    ]
    if engine.rating_error is not None:
        figures += [
            ("RMSE", f"{engine.rating_error.rmse:.3f}"),
            ("MAE", f"{engine.rating_error.mae:.3f}"),
        ]
    figures += [
        ("µs per event", f"{engine.us_per_event:,.1f}"),
        ("memory", f"{engine.memory_bytes / 1e6:,.1f} MB"),
        ("changes found", str(len(evaluation.drifts))),
    ]
    shown = "".join(
        f'<div class="tile"><b>{value}</b><span>{html.escape(name)}</span></div>'
        for name, value in figures
    )
    return f'<div class="tiles">{shown}</div>'


def scores_table(evaluation: Evaluation) -> str:
    """Return the table of all models, the best hit rate first and marked."""
    k, others = evaluation.k, [k for k in evaluation.ks if k != evaluation.k]
    models = sorted(
        (evaluation.engine, *evaluation.baselines), key=lambda score: -score.by_k[k]["hr"]
    )
    heads = [
        "model",
        *(f"{words}@{k}" for words in METRICS.values()),
        "95 %",
        *(f"HR@{other}" for other in others),
        *(f"NDCG@{other}" for other in others if other > 1),
        "RMSE",
        "MAE",
        "µs/event",
        "MB",
        "parameters",
    ]
    best = models[0].by_k[k]["hr"] if len(models) > 1 else None
    rows = "".join(
        _row(score, evaluation, others, is_best=score.by_k[k]["hr"] == best) for score in models
    )
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _row(score: Score, evaluation: Evaluation, others: list[int], *, is_best: bool) -> str:
    k, error = evaluation.k, score.rating_error
    name = html.escape(score.name)
    if score.tuned:
        name += ' <span class="soft">tuned</span>'
    if is_best:
        name += ' <span class="mark">◀ best</span>'
    parameters = ", ".join(f"{key} {value:g}" for key, value in score.parameters.items())
    cells = [
        name,
        *(f"{score.by_k[k][key]:.4f}" for key in METRICS),
        interval_text(score.intervals.get(k)),
        *(f"{score.by_k[other]['hr']:.4f}" for other in others),
        *(f"{score.by_k[other]['ndcg']:.4f}" for other in others if other > 1),
        f"{error.rmse:.3f}" if error else "",
        f"{error.mae:.3f}" if error else "",
        f"{score.us_per_event:,.1f}",
        f"{score.memory_bytes / 1e6:,.1f}",
        f'<span class="soft">{html.escape(parameters)}</span>',
    ]
    kinds = [
        kind for kind, holds in (("own", score is evaluation.engine), ("best", is_best)) if holds
    ]
    return f'<tr class="{" ".join(kinds)}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def legend(classes: Mapping[str, str]) -> str:
    """Return the legend of a picture; models without a colour of their own share an entry."""
    others = [name for name, kind in classes.items() if kind == "other"]
    named = {name: kind for name, kind in classes.items() if kind != "other"}
    if others:
        named[f"{len(others)} others"] = "other"
    entries = "".join(
        f'<li><i class="{kind}"></i>{html.escape(name)}</li>' for name, kind in named.items()
    )
    return f'<ul class="legend">{entries}</ul>'
