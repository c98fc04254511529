"""The demo on a terminal: the pipeline, its figures and a few users, redrawn in place (rich)."""

from __future__ import annotations

from rich.align import Align
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream_rec.cli.demo.people import people
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.words import Titles, latency_text, sparkline

PIPELINE_ROWS = 4
FIGURES_ROWS = 5
SPARKLINE_MARGIN = 13
ACCENT = "bright_cyan"
GOOD = "bright_green"
FAINT = "dim"
OTHER = "yellow"


def live_view(snapshot: Snapshot, titles: Titles, width: int, height: int) -> Layout:
    """Draw a snapshot to fill a terminal.

    Parameters
    ----------
    snapshot : Snapshot
        What is shown.
    titles : Titles
        Names of items.
    width, height : int
        Of the terminal, in characters; made for 80×24 and up.
    """
    people_rows = max(height - 2 - PIPELINE_ROWS - FIGURES_ROWS, 3)
    layout = Layout()
    layout.split_column(
        Layout(_headline(snapshot), size=1),
        Layout(_pipeline(snapshot), size=PIPELINE_ROWS),
        Layout(_figures(snapshot, width), size=FIGURES_ROWS),
        Layout(_people_panel(snapshot, titles, people_rows, width), size=people_rows),
        Layout(_progress(snapshot), size=1),
    )
    return layout


def _headline(snapshot: Snapshot) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    line.add_row(
        Text.assemble((" stream_rec ", f"bold black on {ACCENT}"), ("  " + snapshot.phase, "bold")),
        Text.assemble(
            (snapshot.web_url or "", f"underline {ACCENT}"),
            (f"{snapshot.elapsed_s:5.0f} s ", FAINT),
        ),
    )
    return line


def _pipeline(snapshot: Snapshot) -> RenderableType:
    replaying = snapshot.phase is Phase.REPLAY
    arrow = Align.center(Text("──▶", style=GOOD if replaying else FAINT), vertical="middle")
    worker = "starting …" if snapshot.worker_pid is None else f"process {snapshot.worker_pid}"
    row = Table.grid(expand=True)
    boxes = (
        _box("producer", "kafka-python", f"{snapshot.n_expected:,} ratings"),
        _box("Kafka", "topic events", f"{snapshot.n_events:,} in"),
        _box("worker", worker, f"{snapshot.lists_per_s:,.0f} events/s"),
        _box("Kafka", "recommendations", f"{snapshot.n_lists:,} lists"),
    )
    cells: list[RenderableType] = []
    for box in boxes:
        if cells:
            row.add_column(width=3)
            cells.append(arrow)
        row.add_column(ratio=1)
        cells.append(box)
    row.add_row(*cells)
    return row


def _box(title: str, what: str, figure: str) -> Panel:
    content = Group(
        Text(what, FAINT, justify="center"), Text(figure, f"bold {ACCENT}", justify="center")
    )
    return Panel(content, title=title, border_style=FAINT, padding=0)


def _figures(snapshot: Snapshot, width: int) -> RenderableType:
    row = Table.grid(expand=True)
    row.add_column(ratio=2)
    row.add_column(ratio=3)
    row.add_row(_latency(snapshot, width * 2 // 5 - 4), _hit_rates(snapshot, width * 3 // 5 - 4))
    return row


def _latency(snapshot: Snapshot, width: int) -> Panel:
    lines = (
        _named_figure("p50 ", FAINT, latency_text(snapshot.latency_p50_ms)),
        _named_figure("p99 ", FAINT, latency_text(snapshot.latency_p99_ms)),
        _named_figure(
            sparkline(snapshot.rate_history, width - SPARKLINE_MARGIN) + " ",
            ACCENT,
            f"{snapshot.lists_per_s:,.0f}/s",
        ),
    )
    title = "from producer to list here"
    return Panel(Group(*lines), title=title, border_style=FAINT, height=FIGURES_ROWS)


def _named_figure(name: str, name_style: str, figure: str) -> Text:
    return Text.assemble((name, name_style), (figure, f"bold {ACCENT}"))


def _hit_rates(snapshot: Snapshot, width: int) -> Panel:
    highest = max(snapshot.hit_rate, snapshot.popularity_hit_rate, 1e-9)
    bars = Table.grid(padding=(0, 1))
    for name, rate, color in (
        ("stream_rec", snapshot.hit_rate, GOOD),
        ("popularity", snapshot.popularity_hit_rate, OTHER),
    ):
        length = round(rate / highest * (width - 20))
        bars.add_row(Text(name), Text(f"{rate:.3f}", f"bold {color}"), Text("━" * length, color))
    note = f"{snapshot.n_scored:,} next films: were they in the list?"
    return Panel(
        Group(bars, Text(note, style=FAINT, overflow="ellipsis", no_wrap=True)),
        title="HR@10 of the served lists",
        border_style=FAINT,
        height=FIGURES_ROWS,
    )


def _people_panel(snapshot: Snapshot, titles: Titles, rows: int, width: int) -> Panel:
    if snapshot.moments:
        content: RenderableType = people(snapshot.moments, titles, rows - 2, width - 4)
    else:
        content = Align.center(Text(f"{snapshot.phase} …", style=FAINT), vertical="middle")
    title = "just rated, and recommended now"
    return Panel(content, title=title, border_style=FAINT, height=rows)


def _progress(snapshot: Snapshot) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1)
    line.add_column(justify="right")
    bar = ProgressBar(
        total=max(snapshot.n_expected, 1),
        completed=snapshot.n_lists,
        complete_style=ACCENT,
        finished_style=GOOD,
    )
    done = f"{snapshot.n_lists:,} of {snapshot.n_expected:,} "
    line.add_row(bar, Text(done, style=FAINT))
    return line
