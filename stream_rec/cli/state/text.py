"""What ``stream-rec state`` found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream_rec.stream.state.verify import StoreReport

HISTORY_SHOWN = 20


def describe_report(report: StoreReport) -> str:
    """Describe a store in one line, and its problems in one each."""
    rows = ", ".join(f"{n:,} {kind}" for kind, n in sorted(report.rows.items())) or "no rows"
    behind = ""
    if report.changelog_behind is not None:
        behind = f", {report.changelog_behind:,} records and {report.events_behind:,} events behind"
    line = (
        f"{report.table}-{report.partition}: {rows}, {report.n_bytes:,} bytes, changelog offset "
        f"{report.changelog_offset}, watermark {report.watermark}{behind}"
    )
    return "\n".join([line, *(f"  problem: {problem}" for problem in report.problems)])


def describe_user(found: Mapping[str, Any]) -> str:
    """Describe a profile: a line of figures, then the history, newest first."""
    lines = [
        f"user {found['user']}: partition {found['partition']}, up to offset "
        f"{found['applied_offset']}, last event {_time(found['last_event_s'])}",
        f"  {found['distinct_items']} distinct items, {len(found['seen'])} kept as seen; history:",
    ]
    lines += [
        f"  {_time(entry['ts'])}  {entry['item']}  (offset {entry['offset']})"
        for entry in found["history"][:HISTORY_SHOWN]
    ]
    return "\n".join(lines)


def describe_item(found: Mapping[str, Any]) -> str:
    """Describe an item: what each partition knows, and its strongest links there."""
    lines = [f"item {found['item']}: taken {found['taken']:g} times"]
    for part in found["partitions"]:
        popularity = ", ".join(
            f"{value:.3g} ({half_life})"
            for half_life, value in part["popularity_at_last_event"].items()
        )
        lines += [
            f"  partition {part['partition']}: taken {part['taken']:g}, first "
            f"{_time(part['first_event_s'])}, last {_time(part['last_event_s'])}, popularity "
            f"{popularity}, {part['n_links']} links, up to offset {part['applied_offset']}",
        ]
        lines += [
            f"    {link['item']}: near {link['near']}, wide {link['wide']}, after {link['after']}"
            for link in part["links"]
        ]
    return "\n".join(lines)


def _time(time_s: float | None) -> str:
    if time_s is None:
        return "never"
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
