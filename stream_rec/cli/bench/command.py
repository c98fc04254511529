"""``stream-rec bench``: measure this system on this machine, beside peers and limits."""

from __future__ import annotations

import click

from stream_rec.cli.bench.engine import engine
from stream_rec.cli.bench.hostile import hostile
from stream_rec.cli.bench.http import http
from stream_rec.cli.bench.latency import latency
from stream_rec.cli.bench.pipeline import pipeline
from stream_rec.cli.bench.restore import restore
from stream_rec.cli.bench.rolling import rolling
from stream_rec.cli.bench.scale import scale
from stream_rec.cli.bench.soak import soak


@click.group()
def bench() -> None:
    """Measure speed, latency and memory, each beside a peer or a limit in the same run.

    Needs the packages of `pip install 'stream-rec[bench]'`. How it is measured, and what came out:
    docs/performance.md.
    """


for command in (engine, scale, pipeline, latency, http, restore, rolling, hostile, soak):
    bench.add_command(command)
