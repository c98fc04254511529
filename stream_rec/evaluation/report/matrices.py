"""The pictures of a report with one row for each of something: the heat map and the weights."""

from __future__ import annotations

import numpy as np

from stream_rec.evaluation.observation import WeightHistory
from stream_rec.evaluation.report.charts import group_members, hit_rate_in
from stream_rec.evaluation.report.svg import WIDTH, share_words, text
from stream_rec.evaluation.result import Evaluation, Score

LABEL = 92.0
ROW = 26.0
GAP = 1.5
NAME, NUMBER = 132.0, 48.0
"""Room for the names of features on the left, for the latest weight on the right."""


def heat_map(evaluation: Evaluation, score: Score) -> str:
    """Draw the hit rate of a model by the item's age (rows) and over time (columns)."""
    ages, windows = (group_members(evaluation, kind) for kind in ("item age", "time"))
    k = evaluation.k
    cells = [
        [hit_rate_in(score, age.members & window.members, k) for window in windows] for age in ages
    ]
    highest = max((rate for row in cells for rate in row if rate is not None), default=0.0) or 1.0
    width = (WIDTH - LABEL) / max(len(windows), 1)
    marks = []
    for y, (age, row) in enumerate(zip(ages, cells, strict=True)):
        marks.append(text(LABEL - 6, y * ROW + ROW / 2 + 4, _short_age(age.name), "end"))
        for x, (window, rate) in enumerate(zip(windows, row, strict=True)):
            n = int((age.members & window.members).sum())
            left, top = LABEL + x * width, y * ROW
            share = 0.0 if rate is None else rate / highest
            kind = "empty" if rate is None else "cell"
            title = f"{age.name}, {window.name}: " + (
                "nothing scored" if rate is None else f"{rate:.4f} of {n:,}"
            )
            marks.append(
                f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width - GAP:.1f}" '
                f'height="{ROW - GAP}" style="--share:{share:.3f}"><title>{title}</title></rect>'
            )
            if rate is not None:
                shade = "inside strong" if share > 0.55 else "inside"
                words = share_words(round(rate, 2))
                marks.append(
                    text(left + (width - GAP) / 2, top + ROW / 2 + 3, words, "middle", shade)
                )
    height = len(ages) * ROW + 18
    if windows:
        first, last = (windows[place].name.removeprefix("from ")[:10] for place in (0, -1))
        marks.append(text(LABEL, height - 4, f"from {first}"))
        marks.append(text(WIDTH - GAP, height - 4, f"from {last}", "end"))
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="Hit rate by item age and time">{"".join(marks)}</svg>'
    )


def weights_chart(history: WeightHistory) -> str:
    """Draw the course of each weight in a row of its own, all rows on one scale."""
    low, high = float(min(history.value.min(), 0.0)), float(max(history.value.max(), 0.0))
    spread = (high - low) or 1.0
    order = np.argsort(-np.abs(history.value[-1]), kind="stable").tolist()
    last = float(history.event[-1]) or 1.0
    left, right = NAME, WIDTH - NUMBER
    marks = []
    for row, feature in enumerate(order):
        top = row * ROW

        def down(value: float, top: float = top) -> float:
            return top + ROW - 4 - (value - low) / spread * (ROW - 8)

        values = history.value[:, feature].tolist()
        path = "L".join(
            f"{left + event / last * (right - left):.1f},{down(value):.1f}"
            for event, value in zip(history.event.tolist(), values, strict=True)
        )
        name = history.names[feature]
        marks += [
            text(left - 8, top + ROW / 2 + 4, name.replace("_", " "), "end"),
            f'<line class="grid" x1="{left}" x2="{right}" y1="{down(0.0):.1f}" '
            f'y2="{down(0.0):.1f}"/>',
            f'<path class="line {"engine" if values[-1] >= 0 else "against"}" d="M{path}">'
            f"<title>{name}: {values[0]:+.2f} at first, {values[-1]:+.2f} at last</title></path>",
            text(WIDTH - 4, top + ROW / 2 + 4, f"{values[-1]:+.2f}", "end"),
        ]
    height = len(order) * ROW + 4
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="Learned weights over time">{"".join(marks)}</svg>'
    )


def _short_age(name: str) -> str:
    return {"never seen before": "never seen", "under 30 days": "under a month"}.get(name, name)
