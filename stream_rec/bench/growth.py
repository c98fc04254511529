"""Curves of cost and memory over size, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stream_rec.bench.scale import ScaleFigures

CURVES = {
    "µs an event": "us_per_event",
    "bytes an item (memory)": "bytes_per_item",
    "bytes a user (disk)": "bytes_per_user",
}


def draw_growth(figures: Sequence[ScaleFigures], path: Path) -> None:
    """Draw one curve for each figure, side by side, sizes on a logarithmic axis.

    Parameters
    ----------
    figures : sequence of ScaleFigures
    path : Path
        Its suffix says the format: .svg, .png, …
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.subplots(1, len(CURVES))
    sizes = [one.n for one in figures]
    for axis, (title, name) in zip(axes, CURVES.items(), strict=True):
        axis.plot(sizes, [getattr(one, name) for one in figures], marker="o")
        axis.set(title=title, xlabel="items, and as many users", xscale="log")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.savefig(path)
