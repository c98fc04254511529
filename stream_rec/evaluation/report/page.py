"""A report as a page: verdict, table, pictures, what was cleaned, what was configured."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.calibration import CalibrationClass, calibration_error
from stream_rec.evaluation.curves import moving_width
from stream_rec.evaluation.observation import WeightHistory
from stream_rec.evaluation.report.charts import (
    calibration_chart,
    colour_of,
    groups_chart,
    moving_chart,
    rmse_chart,
    running_chart,
)
from stream_rec.evaluation.report.matrices import heat_map, weights_chart
from stream_rec.evaluation.report.scores import legend, scores_table, tiles, verdict
from stream_rec.evaluation.report.style import STYLE
from stream_rec.evaluation.result import Evaluation


class Findings(NamedTuple):
    """What a report shows.

    Attributes
    ----------
    evaluation : Evaluation
    summary : str
        One line on the log.
    time_s : float64[S]
        Of the scored events.
    weights : WeightHistory
    calibration : list of CalibrationClass
        Empty where it was not measured.
    cleaning : list of str
        What was found wrong with the log, and what was done.
    configuration : mapping of str to str
    """

    evaluation: Evaluation
    summary: str
    time_s: NDArray[np.float64]
    weights: WeightHistory
    calibration: list[CalibrationClass]
    cleaning: list[str]
    configuration: Mapping[str, str]


def page(findings: Findings) -> str:
    """Return the report as HTML."""
    evaluation = findings.evaluation
    title = html.escape(evaluation.log)
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="soft">{html.escape(findings.summary)}</p>',
        verdict(evaluation),
        tiles(evaluation),
        f'<div class="cards">{"".join(_cards(findings))}</div>',
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Evaluation of {title}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _cards(findings: Findings) -> list[str]:
    evaluation, time_s = findings.evaluation, findings.time_s
    k = evaluation.k
    cards = [_card("All models", _protocol(evaluation), scores_table(evaluation), wide=True)]
    if not evaluation.n_scored:
        return [*cards, *_notes(findings)]
    best = evaluation.best_baseline
    pair = legend({evaluation.engine.name: "engine", **({best.name: "peer1"} if best else {})})
    latest = {
        name: kind
        for name, kind in colour_of(evaluation).items()
        if kind == "engine" or (best and name == best.name)
    }
    cards += [
        _card(
            f"Running HR@{k}",
            f"Mean over all events so far; dashed: {_drifts(evaluation)}",
            running_chart(evaluation, time_s) + legend(colour_of(evaluation)),
        ),
        _card(
            f"HR@{k} of the latest events",
            f"Mean over the latest {moving_width(evaluation.n_scored):,} scored events, engine and "
            "best baseline.",
            moving_chart(evaluation, time_s) + legend(latest),
        ),
        _card(
            f"HR@{k} by window",
            "Ten equal spans of time; each is named after its beginning (UTC).",
            groups_chart(evaluation, "time") + pair,
        ),
        _card(
            f"HR@{k} by history of the user",
            "Events the user had before: cold on the left, warm on the right.",
            groups_chart(evaluation, "user history") + pair,
        ),
        _card(
            f"HR@{k} by age of the item",
            "Since the item first occurred.",
            groups_chart(evaluation, "item age") + pair,
        ),
        _card(
            f"Item age over time, HR@{k}",
            f"{evaluation.engine.name}; rows: age of the item, columns: ten spans of time. An "
            "empty field had nothing to score.",
            heat_map(evaluation, evaluation.engine),
        ),
        *_learning(findings),
    ]
    return [*cards, *_notes(findings)]


def _learning(findings: Findings) -> list[str]:
    """Return the cards on what the engine learned and knows of itself."""
    cards = [
        _card(
            "Learned weights",
            "What the ranker learned to give each source, from the first event (left) to the last; "
            "the heaviest at last on top. Weights that all users share.",
            weights_chart(findings.weights),
        )
    ]
    if findings.calibration:
        error = calibration_error(findings.calibration)
        cards.append(
            _card(
                "Calibration",
                "Share of listed items that were taken (up), over the chance that the ranker gave "
                f"them (right). On the dashed line both are equal; mean distance {error:.4f}.",
                calibration_chart(findings.calibration),
            )
        )
    course = rmse_chart(findings.evaluation)
    if course:
        predicting = [
            each for each in findings.evaluation.baselines if each.rating_error is not None
        ]
        names = {findings.evaluation.engine.name: "engine"} | {
            each.name: "peer1" for each in predicting
        }
        words = "Ratings, each predicted before it is learned."
        cards.append(_card("Running RMSE", words, course + legend(names)))
    return cards


def _notes(findings: Findings) -> list[str]:
    found = "".join(f"<li>{html.escape(line)}</li>" for line in findings.cleaning)
    cleaning = f'<ul class="plain">{found}</ul>' if found else "<p>Nothing was wrong with it.</p>"
    rows = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
        for name, value in findings.configuration.items()
    )
    return [
        _card("Cleaning of the log", "", cleaning),
        f'<details class="card"><summary>Configuration</summary><dl>{rows}</dl></details>',
    ]


def _card(title: str, words: str, content: str, *, wide: bool = False) -> str:
    kind = "card wide" if wide else "card"
    described = f"<p>{html.escape(words)}</p>" if words else ""
    return f'<section class="{kind}"><h2>{html.escape(title)}</h2>{described}{content}</section>'


def _protocol(evaluation: Evaluation) -> str:
    return (
        f"Protocol {evaluation.protocol}: {evaluation.n_scored:,} of {evaluation.n_events:,} "
        "events scored against the full catalogue; an item that is not proposed is a miss. "
        f"95 % intervals by bootstrap over users. {evaluation.left_out_line}"
    )


def _drifts(evaluation: Evaluation) -> str:
    n = len(evaluation.drifts)
    if not n:
        return "no change of the engine's hit rate was found (ADWIN)."
    return f"{n} change{'s' if n > 1 else ''} of the engine's hit rate (ADWIN), green up, red down."
