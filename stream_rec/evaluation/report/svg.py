"""SVG of plots: a frame with linear or logarithmic axes, and marks in data coordinates.

Frames are as narrow as a phone is, so that letters stay readable there; colours are the page's
variables, so that one picture serves light and dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

WIDTH = 400.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 12.0, 12.0, 34.0
LETTER = 6.2
"""Width of a letter of the labels, about."""

Number = Callable[[float], str]


class Axis(NamedTuple):
    """From `low` to `high`, with ticks and their labels."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]] = ()
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, from 0 to 1."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, low))
        return (value - low) / (high - low) if high > low else 0.5


class Frame:
    """A plot under way: marks are added, then `svg` returns it.

    Parameters
    ----------
    x, y : Axis
    height, left : float
        Of the picture, and of the margin for labels.
    """

    def __init__(self, x: Axis, y: Axis, *, height: float = 230.0, left: float = LEFT) -> None:
        self.x, self.y, self.height, self.left = x, y, height, left
        self._marks: list[str] = []
        self._draw_axes()

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point in the picture."""
        return self._across(x), self._down(y)

    def add(self, mark: str) -> None:
        """Add a mark in coordinates of the picture."""
        self._marks.append(mark)

    def line(self, points: Iterable[tuple[float, float]], kind: str, title: str = "") -> None:
        """Draw a line through points."""
        path = "L".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        self.add(f'<path class="line {kind}" d="M{path}">{_title(title)}</path>')

    def bar(self, x: float, width: float, y: float, kind: str, title: str) -> None:
        """Draw a bar from 0 up, at a place and with a width of the picture."""
        top, bottom = self._down(y), self._down(self.y.low)
        self.add(
            f'<rect class="bar {kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{max(bottom - top, 0.5):.1f}" rx="1.5">{_title(title)}</rect>'
        )

    def upright(self, x: float, kind: str, title: str) -> None:
        """Draw a vertical mark over the whole height, with a head that can be pointed at."""
        across = self._across(x)
        self.add(
            f'<g class="{kind}"><line x1="{across:.1f}" x2="{across:.1f}" y1="{TOP}" '
            f'y2="{self.height - BOTTOM}"/><circle cx="{across:.1f}" cy="{TOP}" r="4"/>'
            f"{_title(title)}</g>"
        )

    def svg(self, described: str) -> str:
        """Return the picture with a description for those who cannot see it."""
        return (
            f'<svg viewBox="0 0 {WIDTH:g} {self.height:g}" role="img" '
            f'aria-label="{html.escape(described, quote=True)}">{"".join(self._marks)}</svg>'
        )

    def _across(self, x: float) -> float:
        return self.left + self.x.share(x) * (WIDTH - self.left - RIGHT)

    def _down(self, y: float) -> float:
        return self.height - BOTTOM - self.y.share(y) * (self.height - TOP - BOTTOM)

    def _draw_axes(self) -> None:
        right, bottom = WIDTH - RIGHT, self.height - BOTTOM
        for value, words in self.y.ticks:
            down = self._down(value)
            self.add(
                f'<line class="grid" x1="{self.left:g}" x2="{right:g}" y1="{down:.1f}" '
                f'y2="{down:.1f}"/>{text(self.left - 5, down + 4, words, "end")}'
            )
        for value, words in self.x.ticks:
            across = self._across(value)
            half = len(max(words.split("\n"), key=len)) * LETTER / 2
            across = min(max(across, half), WIDTH - half)
            for row, part in enumerate(words.split("\n")):
                self.add(text(across, bottom + 14 + 13 * row, part, "middle"))


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "label") -> str:
    """Return letters at a place of the picture."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{html.escape(words)}</text>"
    )


def nice_axis(high: float, written: Number, n_ticks: int = 4) -> Axis:
    """Return an axis from 0 to about `high` with round ticks.

    Examples
    --------
    >>> nice_axis(0.23, lambda value: f"{value:g}").ticks
    [(0.0, '0'), (0.1, '0.1'), (0.2, '0.2')]
    """
    high = high if high > 0.0 else 1.0
    rough = high / n_ticks
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1.0, 2.0, 5.0, 10.0) if unit * factor >= rough)
    ticks = [round(step * x, 12) for x in range(int(high * 1.0001 / step) + 1)]
    return Axis(0.0, high * 1.04, [(tick, written(tick)) for tick in ticks])


def share_words(value: float) -> str:
    """Write a share in few letters.

    Examples
    --------
    >>> share_words(0.25), share_words(0.0), share_words(1.0)
    ('.25', '0', '1')
    """
    return f"{value:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"


def _title(words: str) -> str:
    return f"<title>{html.escape(words)}</title>" if words else ""
