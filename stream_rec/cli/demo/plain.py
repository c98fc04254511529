"""The demo without a terminal: a line every now and then."""

from __future__ import annotations

from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.words import latency_text


def progress_line(snapshot: Snapshot) -> str:
    """Describe a snapshot in one line."""
    begin = f"{snapshot.elapsed_s:5.1f} s  "
    if snapshot.phase in (Phase.BROKER, Phase.WORKER):
        return f"{begin}{snapshot.phase}"
    return (
        f"{begin}{snapshot.n_events:6,} events in, {snapshot.n_lists:6,} lists out, "
        f"{snapshot.lists_per_s:5,.0f}/s, latency p50 {latency_text(snapshot.latency_p50_ms)} "
        f"p99 {latency_text(snapshot.latency_p99_ms)}, HR@10 {snapshot.hit_rate:.3f} "
        f"(popularity {snapshot.popularity_hit_rate:.3f})"
    )
