"""The pictures of a report: courses over the log, windows, groups and calibration."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.breakdown import Group
from stream_rec.evaluation.calibration import CalibrationClass
from stream_rec.evaluation.curves import moving_curve, moving_width, running_curve
from stream_rec.evaluation.metrics.hit_rate import hit_gains
from stream_rec.evaluation.report.svg import (
    LEFT,
    RIGHT,
    WIDTH,
    Axis,
    Frame,
    nice_axis,
    share_words,
)
from stream_rec.evaluation.result import Evaluation, Score, group_hit_rate

N_COLOURED = 4
"""Baselines with a colour of their own; more cannot be told apart."""
GROUPS_NAMED_MAX = 6
"""Of more groups, every other one is named below its bars."""
WARM_UP_SHARE = 0.02
"""Of the running course not looked at for the height of the axis: few events jump."""


def colour_of(evaluation: Evaluation) -> dict[str, str]:
    """Return the class of each model: the engine, the best baselines in order, all others."""
    by_rate = sorted(evaluation.baselines, key=lambda score: -score.by_k[evaluation.k]["hr"])
    # The best popularity in hindsight is the same course as one of the others.
    apart = [score.name for score in by_rate if score.name != "popularity_best"]
    classes = {name: f"peer{place + 1}" for place, name in enumerate(apart[:N_COLOURED])}
    classes |= dict.fromkeys(apart[N_COLOURED:], "other")
    return {evaluation.engine.name: "engine", **classes}


def running_chart(evaluation: Evaluation, time_s: NDArray[np.float64]) -> str:
    """Draw the hit rate so far of every model, with the engine's changes marked.

    Parameters
    ----------
    evaluation : Evaluation
    time_s : float64[S]
        Of the scored events.
    """
    k, classes = evaluation.k, colour_of(evaluation)
    scores = {score.name: score for score in (evaluation.engine, *evaluation.baselines)}
    curves = {name: running_curve(hit_gains(scores[name].rank, k)) for name in classes}
    highest = max(
        float(curve.value[int(len(curve.value) * WARM_UP_SHARE) :].max())
        for curve in curves.values()
    )
    frame = Frame(_events_axis(time_s), nice_axis(highest, share_words))
    _mark_drifts(frame, evaluation)
    for name, kind in reversed(classes.items()):
        curve = curves[name]
        points = zip(
            curve.event.tolist(), np.minimum(curve.value, frame.y.high).tolist(), strict=True
        )
        frame.line(points, kind, f"{name}: {curve.value[-1]:.4f}")
    return frame.svg(f"Running hit rate of {len(classes)} models over the scored events")


def moving_chart(evaluation: Evaluation, time_s: NDArray[np.float64]) -> str:
    """Draw the hit rate of the latest events of the engine and of the best baseline."""
    k, classes = evaluation.k, colour_of(evaluation)
    width = moving_width(evaluation.n_scored)
    best = evaluation.best_baseline
    scores = [*([best] if best else []), evaluation.engine]
    curves = [moving_curve(hit_gains(score.rank, k), width) for score in scores]
    skip = int(len(curves[0].value) * WARM_UP_SHARE)
    highest = max(float(curve.value[skip:].max()) for curve in curves)
    frame = Frame(_events_axis(time_s), nice_axis(highest, share_words))
    _mark_drifts(frame, evaluation)
    for score, curve in zip(scores, curves, strict=True):
        points = zip(
            curve.event.tolist(), np.minimum(curve.value, frame.y.high).tolist(), strict=True
        )
        frame.line(points, classes.get(score.name, "peer1"), score.name)
    return frame.svg(f"Hit rate of the latest {width} scored events")


def rmse_chart(evaluation: Evaluation) -> str:
    """Draw the running error of predicted ratings; empty where none are predicted."""
    models = [evaluation.engine, *evaluation.baselines]
    courses = [
        (score.name, kind, score.rating_error.course)
        for score, kind in zip(models, ("engine", *["peer1"] * len(models)), strict=False)
        if score.rating_error is not None
    ]
    if not courses:
        return ""
    settled = [error for _, _, course in courses for _, error in course[len(course) // 20 :]]
    last = courses[0][2][-1][0]
    x = Axis(0.0, float(last), [(0.0, "0"), (last / 2, f"{last // 2:,}"), (last, f"{last:,}")])
    axis = nice_axis(max(settled), lambda value: f"{value:g}", n_ticks=8)
    low = max((tick for tick, _ in axis.ticks if tick <= min(settled)), default=0.0)
    axis = axis._replace(low=low, ticks=[tick for tick in axis.ticks if tick[0] >= low])
    frame = Frame(x, axis)
    for name, kind, course in courses:
        points = [(float(n), min(max(error, low), axis.high)) for n, error in course]
        frame.line(points, kind, f"{name}: {course[-1][1]:.3f}")
    return frame.svg("Running root mean squared error of predicted ratings")


def groups_chart(evaluation: Evaluation, kind: str) -> str:
    """Draw a pair of bars for each group of a kind: the engine, and the best baseline."""
    groups = [group for group in evaluation.groups if group.kind == kind]
    best, k = evaluation.best_baseline, evaluation.k
    models = [(evaluation.engine, "engine"), *([(best, "peer1")] if best else [])]
    rates = [[group_hit_rate(score, group, k) for score, _ in models] for group in groups]
    slot = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    every = 2 if len(groups) > GROUPS_NAMED_MAX else 1
    ticks = [(x + 0.5, _short(group)) for x, group in enumerate(groups) if x % every == 0]
    x_axis = Axis(0.0, float(len(groups)), ticks)
    frame = Frame(x_axis, nice_axis(max(map(max, rates), default=1.0), share_words))
    for x, (group, row) in enumerate(zip(groups, rates, strict=True)):
        width = min(slot * 0.8 / len(models), 30.0)
        start = LEFT + (x + 0.5) * slot - width * len(models) / 2
        for place, (rate, (score, colour)) in enumerate(zip(row, models, strict=True)):
            title = f"{group.name}: {score.name} {rate:.4f} ({group.members.sum():,} scored)"
            frame.bar(start + place * width, width - 1.0, rate, colour, title)
    return frame.svg(f"Hit rate by {kind}")


def calibration_chart(classes: list[CalibrationClass]) -> str:
    """Draw the share taken over the chance that was given; on the diagonal they are equal."""
    shares = [share for each in classes for share in (each.predicted, each.taken) if share > 0.0]
    low = 10.0 ** np.floor(np.log10(min(shares, default=0.01)))
    low = float(max(low, 1e-4))
    decades = [10.0**x for x in range(round(np.log10(low)), 1)]
    axis = Axis(low, 1.0, [(value, f"{value:.4g}") for value in decades], is_log=True)
    frame = Frame(axis, axis, height=250.0, left=46.0)
    frame.line([(low, low), (1.0, 1.0)], "diagonal", "as often as said")
    most = max((each.n for each in classes), default=1)
    seen = [(each.predicted, max(each.taken, low)) for each in classes]
    frame.line(seen, "engine")
    for each, point in zip(classes, seen, strict=True):
        across, down = frame.at(*point)
        radius = 3.0 + 3.0 * (each.n / most) ** 0.5
        frame.add(
            f'<circle class="engine" cx="{across:.1f}" cy="{down:.1f}" r="{radius:.1f}"><title>'
            f"chance {each.predicted:.4f}, taken {each.taken:.4f} of {each.n:,}</title></circle>"
        )
    return frame.svg("Share of listed items taken, over the chance the ranker gave them")


def group_members(evaluation: Evaluation, kind: str) -> list[Group]:
    """Return the groups of a kind."""
    return [group for group in evaluation.groups if group.kind == kind]


def hit_rate_in(score: Score, members: NDArray[np.bool_], k: int) -> float | None:
    """Return the hit rate in some scored events, None in none."""
    return float(hit_gains(score.rank[members], k).mean()) if members.any() else None


def _mark_drifts(frame: Frame, evaluation: Evaluation) -> None:
    for drift in evaluation.drifts:
        words = f"scored event {drift.event:,}: {drift.before:.3f} → {drift.after:.3f}"
        frame.upright(drift.event, "up" if drift.after > drift.before else "down", words)


def _events_axis(time_s: NDArray[np.float64]) -> Axis:
    """Return the axis of scored events, with the days on which they were."""
    n = len(time_s)
    ticks = [
        (float(event), f"{event:,}\n{_day(time_s[max(event - 1, 0)])}")
        for event in np.linspace(0, n, 4).round().astype(int).tolist()
    ]
    return Axis(0.0, float(n), ticks)


def _short(group: Group) -> str:
    """Return a group's name in two short rows."""
    name = group.name
    if group.kind == "time":
        return f"{name[10:15]}\n{name[16:21]}".replace("-", "/")
    head, _, rest = name.replace(" events", "").replace("never seen before", "new").partition(" ")
    return f"{head}\n{rest}" if rest else head


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d")
