"""The demo without a terminal: a line every now and then, and now and then a user."""

from __future__ import annotations

from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.statistics import Moment
from stream_rec.cli.demo.words import Titles, latency_text, rating_text, reason_of

ITEMS_SHOWN = 3


def progress_line(snapshot: Snapshot) -> str:
    """Describe a snapshot in one line."""
    begin = f"{snapshot.elapsed_s:5.1f} s  "
    if snapshot.n_lists == 0 or snapshot.phase is Phase.STOPPING:
        return f"{begin}{snapshot.phase}"
    return (
        f"{begin}{snapshot.n_events:,} events in, {snapshot.n_lists:,} lists out, "
        f"{snapshot.lists_per_s:,.0f}/s, latency p50 {latency_text(snapshot.latency_p50_ms)} "
        f"p99 {latency_text(snapshot.latency_p99_ms)}, HR@10 {snapshot.hit_rate:.3f} "
        f"(popularity {snapshot.popularity_hit_rate:.3f})"
    )


def moment_line(moment: Moment, titles: Titles) -> str:
    """Describe in one line what a user has just rated and is recommended now."""
    recommended = []
    for listed in moment.items[:ITEMS_SHOWN]:
        reason = reason_of(listed, moment.ratings, titles)
        recommended.append(titles.full(listed.item) + (f" [{reason}]" if reason else ""))
    rated = f"{titles.full(moment.item)} {rating_text(moment.value)}".rstrip()
    hit = "" if moment.place is None else f" (was no. {moment.place} on their list)"
    return f"         user {moment.user} rated {rated}{hit}: now {', '.join(recommended)}"
