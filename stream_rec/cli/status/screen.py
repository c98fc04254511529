"""One screen: the group, its partitions, its topics, its workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_rec.cli.status.group import GroupStatus
from stream_rec.cli.status.workers import WorkerStatus
from stream_rec.settings import Settings

MIB = 1 << 20
WITHOUT_WORKERS = "EMPTY", "DEAD"


def render(
    settings: Settings, group: GroupStatus, workers: Sequence[WorkerStatus], now_s: float
) -> RenderableType:
    """Draw what was found.

    Parameters
    ----------
    settings : Settings
    group : GroupStatus
    workers : sequence of WorkerStatus
    now_s : float
        Wall clock, for the age of the last commit.
    """
    return Group(
        _headline(settings, group),
        Text(),
        _partitions(group),
        Text(),
        _topics(settings, group),
        Text(),
        *_workers(workers, now_s),
    )


def _headline(settings: Settings, group: GroupStatus) -> Text:
    n_members = len(group.members)
    line = Text.assemble(
        (settings.app_id, "bold"),
        f" on {settings.kafka.broker}: group {group.state.lower()}, ",
        f"{n_members} worker{'' if n_members == 1 else 's'}\n",
        f"{group.lag:,} events behind, {group.per_s[settings.topics.events]:,.0f} events/s in, "
        f"{group.per_s[settings.topics.recommendations]:,.0f} lists/s out",
    )
    if group.state in WITHOUT_WORKERS:
        line.append("\nno worker is running: start one with `stream-rec worker`", "yellow")
    return line


def _partitions(group: GroupStatus) -> Table:
    table = _table("partition", "first", "end", "committed", "behind", "worker")
    for one in group.partitions:
        committed = "never" if one.committed is None else f"{one.committed:,}"
        table.add_row(
            str(one.partition),
            f"{one.first:,}",
            f"{one.end:,}",
            committed,
            f"{one.lag:,}",
            one.member_id or Text("nobody's", "yellow"),
        )
    return table


def _topics(settings: Settings, group: GroupStatus) -> Table:
    table = _table("topic", "offsets in use", "new per second")
    for topic in settings.topics.names:
        table.add_row(topic, f"{group.n_records[topic]:,}", f"{group.per_s[topic]:,.1f}")
    return table


def _workers(workers: Sequence[WorkerStatus], now_s: float) -> list[RenderableType]:
    table = _table(
        *("worker at", "events/s", "p50 ms", "p99 ms", "committed", "view's age"),
        *("items", "profiles", "MiB"),
    )
    notes: list[RenderableType] = []
    for worker in workers:
        if worker.stats is None:
            notes.append(Text(f"no answer from {worker.address}: {worker.problem}", "yellow"))
            hint = "workers answer with worker.web_enabled = true; --worker HOST:PORT says where"
            notes.append(Text(hint, "dim"))
            continue
        table.add_row(worker.address, *_figures(worker.stats, now_s))
        if n_to_go := worker.stats["recovery"].get("offsets_to_go"):
            notes.append(Text(f"{worker.address} restores: {n_to_go:,} records to go", "yellow"))
    return [*([table] if table.row_count else []), *notes]


def _figures(stats: Mapping[str, Any], now_s: float) -> list[str]:
    latency, commits, stores = stats["latency_ms"], stats["commits"], stats["stores"]
    last_at_s, view = commits["last_at_s"], stats["item_view"]
    items, profiles = stores.get("items", {}), stores.get("profiles", {})
    n_bytes = sum(store["bytes"] for store in stores.values())
    return [
        f"{stats['events_per_s']:,.0f}",
        _number(latency.get("p50"), ".1f"),
        _number(latency.get("p99"), ".1f"),
        "never" if last_at_s is None else f"{now_s - last_at_s:.1f} s ago",
        _number(view.get("staleness_s"), ".1f", " s"),
        _number(items.get("rows"), ","),
        _number(profiles.get("rows"), ","),
        f"{n_bytes / MIB:,.1f}",
    ]


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _table(*columns: str) -> Table:
    table = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for number, name in enumerate(columns):
        is_text = number == 0 or name == "worker"
        table.add_column(name, justify="left" if is_text else "right", no_wrap=True)
    return table
